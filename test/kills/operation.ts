/**
 * What a process is killed at. `prepare`, `company` and `goOn` are done by the test's process, before the victim begins,
 * meanwhile, and after it is dead; `act` is done by the victim.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cache, openCache } from '../../src/index.js'
import { described } from '../support/self-describing.js'

export interface Place {
  root: string
  /** Outside of the cache: a file, a directory. */
  file: string
  directory: string
}

/** Resolves when they have ended, which they do once the victim waits for them, or is over. */
export type Company = () => Promise<void>

export interface Operation {
  prepare?: (place: Place) => unknown
  /** Somebody else, of the test's process, who is at work when the victim begins; resolves then. */
  company?: (place: Place, victim: { isOver: boolean }) => Promise<Company>
  act: (place: Place) => unknown
  /** Whether what was there before still is, as it was or as it is to be. */
  keeps?: (place: Place) => boolean
  /** Of a worker that comes after the dead one: gets every lock at the first try, and ends well. */
  goOn: (place: Place) => unknown
}

/** SHA-256 of the canonical JSON of 'model'. */
export const MODEL = createHash('sha256').update('"model"').digest('hex')

export type LockerName = 'kernel' | 'lockfile'
/** The shortest that there is. */
export const STALE_MS = 2_000
/** How long to watch a token, to know that its holder is dead. */
const WATCH_MS = 3 * STALE_MS
/** Nobody else is there: whoever has to wait waits for the dead. */
export const AT_ONCE = { timeoutMs: 0 }

export const open = (root: string, locker: LockerName): Promise<Cache> =>
  openCache(root, { locker, staleMs: STALE_MS, strict: true })

/** Removes all that no living process uses. */
export async function sweep(root: string, locker: LockerName): Promise<void> {
  const cache = await open(root, locker)
  await cache.gc({ maxBytes: 0, graceMs: 0, watchMs: locker === 'lockfile' ? WATCH_MS : 0 })
}

export const newId = (): string => randomBytes(8).toString('hex')

/** Two files that belong together. */
export function fill(dir: string, unit = 'entry'): void {
  mkdirSync(dir, { recursive: true })
  const id = newId()
  for (const name of ['kernel.bin', 'weights.bin'])
    writeFileSync(join(dir, name), described({ unit, id }, randomBytes(3_000)))
}

export async function compile(root: string, locker: LockerName): Promise<void> {
  const cache = await open(root, locker)
  const entry = await cache.getOrCompile('model', ({ dir }) => fill(dir), AT_ONCE)
  await entry.release()
}
