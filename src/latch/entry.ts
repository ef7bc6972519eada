/** An entry in a caller's hands. */
import type { Outcome } from '../core/outcome.js'
import { attempt } from '../host/disk-errors.js'
import {
  type Check,
  type Found,
  type Lookup,
  isNamedOnServer,
  isStillNamed,
  isStillNamedAtOnce,
  lookUp,
  lookUpAtOnce,
} from '../store/lookup.js'
import { FILES } from '../store/layout.js'
import { emit } from './events.js'
import { NOTED_EVERY_MS, noteUse } from './last-use.js'
import type { Opened } from './open.js'
import { pinByLock } from './pins.js'

export interface Entry {
  /** A directory that never changes, until `release`; with outcome `private` it is removed then. */
  readonly path: string
  readonly outcome: Outcome
  /** How long building it took, in milliseconds: by this call, or by whoever built it. */
  readonly buildMs: number
  /** Lets gc have the entry. Idempotent. A process that ends has released everything. */
  release(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export function makeEntry(
  path: string,
  outcome: Outcome,
  buildMs: number,
  letGo: () => Promise<void>,
): Entry {
  let released: Promise<void> | undefined
  // Never fails: the entry has been used by now, and what cannot be let go of is let go of by the process's end.
  const release = (): Promise<void> => {
    if (released === undefined) {
      emit({ type: 'released', path })
      released = attempt(letGo())
    }
    return released
  }
  return { path, outcome, buildMs, release, [Symbol.asyncDispose]: release }
}

export type Pinned = { state: 'hit'; entry: (outcome: Outcome) => Entry } | Exclude<Lookup, Found>

/** Looks the entry up and pins it; `miss` as well when gc is just removing it. */
export async function findPinned(opened: Opened, id: string, key: string, check: Check): Promise<Pinned> {
  const { disk, layout } = opened
  const found = await lookUp(disk, layout.entry(id), key, check)
  if (found.state !== 'hit') return found
  const unpin = await pin(opened, id, found)
  if (unpin === null) return { state: 'miss' }
  const now = opened.host.clock.wallTime()
  if (now - found.stats.mtimeMs > NOTED_EVERY_MS) await noteUse(disk, found.path, now)
  const { path, manifest } = found
  return { state: 'hit', entry: (outcome) => makeEntry(`${path}/${FILES}`, outcome, manifest.buildMs, unpin) }
}

/**
 * The same in one go, where no call waits for another computer: a hit that costs no promise. `null`: look in the way
 * that may wait, which meets the same trouble again, and says what it is.
 */
export function findAtOnce(opened: Opened, id: string, key: string, check: Check): Entry | null {
  const { inThread } = opened.disk
  const { holdAtOnce } = opened.locker.shares ?? {}
  if (!inThread || !holdAtOnce || check === 'hashes') return null
  try {
    const found = lookUpAtOnce(inThread, opened.layout.entry(id), key, check)
    if (found.state !== 'hit') return null
    const { path, fd, manifest, stats } = found
    let pinned = false
    try {
      const isNoted = opened.host.clock.wallTime() - stats.mtimeMs <= NOTED_EVERY_MS
      pinned = isNoted && holdAtOnce(fd) && isStillNamedAtOnce(inThread, found)
    } finally {
      if (!pinned) inThread.close(fd)
    }
    const unpin = async (): Promise<void> => inThread.close(fd)
    return pinned ? makeEntry(`${path}/${FILES}`, 'hit', manifest.buildMs, unpin) : null
  } catch {
    return null
  }
}

/**
 * Keeps gc from removing the entry. Only a look *after* pinning proves that it was in time:
 *   we: look up the entry     gc: claims it, moves it away
 *   we: pin what we have open, which is in the trash by now
 */
export async function pin(opened: Opened, id: string, found: Found): Promise<(() => Promise<void>) | null> {
  const { disk, locker } = opened
  let unpin = (): Promise<void> => disk.close(found.fd)
  let pinned = false
  try {
    if (locker.shares) {
      if (!(await locker.shares.hold(found.fd))) return null
    } else {
      const letGo = await pinByLock(opened, id)
      if (letGo === null) return null
      unpin = async () => {
        await attempt(disk.close(found.fd))
        await letGo()
      }
    }
    pinned = await (locker.shares ? isStillNamed(disk, found) : isNamedOnServer(disk, found))
    return pinned ? unpin : null
  } finally {
    if (!pinned) await unpin()
  }
}
