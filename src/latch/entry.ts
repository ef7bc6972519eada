/** An entry in a caller's hands. */
import { emit } from './events.js'
import { attempt, isErrno, orElse } from '../host/disk-errors.js'
import { type Check, type Found, type Lookup, lookUp } from '../store/lookup.js'
import { FILES, MANIFEST } from '../store/layout.js'
import type { Opened } from './open.js'

/**
 * How the entry was obtained: `hit`, it was there; `compiled`, this call built it; `waited`, another one did while
 * this call waited; `private`, the cache could not be used and this call built it for itself.
 */
export type Outcome = 'hit' | 'compiled' | 'waited' | 'private'

export interface Entry {
  /** A directory that never changes, until `release`; with outcome `private` it is removed then. */
  readonly path: string
  readonly outcome: Outcome
  /** Lets gc have the entry. Idempotent. A process that ends has released everything. */
  release(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export function makeEntry(path: string, outcome: Outcome, letGo: () => Promise<void>): Entry {
  let released: Promise<void> | undefined
  const release = (): Promise<void> => (released ??= letGo())
  return { path, outcome, release, [Symbol.asyncDispose]: release }
}

/** What is in use is touched at most once an hour: gc goes by it. */
const TOUCH_EVERY_MS = 60 * 60 * 1000

export type Pinned = { state: 'hit'; entry: (outcome: Outcome) => Entry } | Exclude<Lookup, Found>

/** Looks the entry up and pins it; `miss` as well when gc is just removing it. */
export async function findPinned(opened: Opened, id: string, key: string, check: Check): Promise<Pinned> {
  const { disk, layout } = opened
  const found = await lookUp(disk, layout.entry(id), key, check)
  if (found.state !== 'hit') return found
  const unpin = await pin(opened, id, found)
  if (unpin === null) return { state: 'miss' }
  await touch(opened, found)
  return { state: 'hit', entry: (outcome) => makeEntry(`${found.path}/${FILES}`, outcome, unpin) }
}

/**
 * Keeps gc from removing the entry. Only a look *after* pinning proves that it was in time:
 *   we: look up the entry     gc: claims it, moves it away
 *   we: pin what we have open, which is in the trash by now
 */
async function pin(opened: Opened, id: string, found: Found): Promise<(() => Promise<void>) | null> {
  const { disk } = opened
  const unpin = await hold(opened, id, found)
  if (unpin === null) return null
  const stats = await orElse(disk.lstat(`${found.path}/${MANIFEST}`), null, 'ENOENT', 'ENOTDIR', 'ESTALE')
  if (stats !== null && stats.ino === found.stats.ino && stats.dev === found.stats.dev) return unpin
  await unpin()
  return null
}

async function hold(opened: Opened, id: string, found: Found): Promise<(() => Promise<void>) | null> {
  const { disk, layout, locker, host } = opened
  if (locker.shares) {
    if (await locker.shares.hold(found.fd)) return () => disk.close(found.fd)
    await disk.close(found.fd)
    return null
  }
  try {
    const lease = await locker.acquire(layout.pin(id, host.processes.token()), { alone: true })
    return async () => {
      await disk.close(found.fd)
      await attempt(lease.release())
    }
  } catch (error) {
    // Who may not write here may still read: on a read-only mount there is mostly no gc either.
    if (!isErrno(error, 'EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT')) throw error
    emit({ type: 'unpinned', path: found.path, error })
    return () => disk.close(found.fd)
  }
}

async function touch({ disk, host }: Opened, { path, stats }: Found): Promise<void> {
  const now = host.clock.wallTime()
  if (now - stats.mtimeMs > TOUCH_EVERY_MS) await attempt(disk.utimes(`${path}/${MANIFEST}`, now / 1000))
}
