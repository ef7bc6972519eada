/** An entry in a caller's hands. */
import type { Outcome } from '../core/outcome.js'
import { attempt } from '../host/disk-errors.js'
import {
  type Check,
  type Found,
  type Lookup,
  isNamedOnServer,
  isStillNamed,
  lookUp,
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
      const held = locker.shares.hold(found.fd)
      if (!(held instanceof Promise ? await held : held)) return null
    } else {
      const letGo = await pinByLock(opened, id)
      if (letGo === null) return null
      unpin = async () => {
        await attempt(disk.close(found.fd))
        await letGo()
      }
    }
    const still = locker.shares ? isStillNamed(disk, found) : isNamedOnServer(disk, found)
    pinned = still instanceof Promise ? await still : still
    return pinned ? unpin : null
  } finally {
    if (!pinned) await unpin()
  }
}
