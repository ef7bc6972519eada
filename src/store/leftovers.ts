/** What crashes have left: stages whose writer is gone, half-deleted trash, drafts, candidates of network locks. */
import { basename } from 'node:path'
import type { Surroundings } from '../core/owner.js'
import { isOver } from '../core/waiter.js'
import pMap from 'p-map'
import type { Disk } from '../host/disk.js'
import { attempt, orElse } from '../host/disk-errors.js'
import { ROW_ENDS_AFTER_MS } from './attempts.js'
import { directoriesIn } from './inventory.js'
import { listInside } from './inside.js'
import type { Layout } from './layout.js'
import { discard } from './stage.js'
import { emptyTrash } from './trash.js'
import { readWaiter, waitedFor } from './waiters.js'

export interface LeftoverOptions {
  /** Milliseconds since 1970. */
  now: number
  /** What changed less than this many milliseconds ago is left alone. */
  graceMs: number
  /** Takes the hold that a living writer or user has on it; `null`: it lives. Resolves to the way to let go. */
  claim(path: string): Promise<(() => Promise<void>) | null>
  /** Takes a lock and releases it, which leaves nothing of an earlier holder; `false`: somebody has it. */
  tidy(lockPath: string): Promise<boolean>
  /** For judging who waits. */
  here: Surroundings
}

const CONCURRENCY = 8
/** Watching a lock for signs of life costs time, and nothing else. */
const WATCHED_AT_ONCE = 64
/** 128 random bits in hex: a stage. */
export const TOKEN = /^[0-9a-f]{32}$/
/** A network lock: of a key, or of a stage or a pin, where it shows that somebody lives. */
export const HELD = '.held'
export const CANDIDATE = /\.held-[0-9a-f]{32}$/
/** Where the writer of a record was killed: see writeRecord. */
export const TORN_RECORD = /\.json\.[0-9a-f]{32}(?:\.\d+)?$/
export const OWNER = '.owner.json'
export const DRAFT = /^\.v\d+-[0-9a-f]{32}$|^\.probe-[0-9a-f]{32}$/

const isHeld = (name: string): boolean => name.endsWith(HELD)

/** Returns how many were removed. Whatever cannot be removed is left for the next time. */
export async function collectLeftovers(
  disk: Disk,
  layout: Layout,
  options: LeftoverOptions,
): Promise<number> {
  const isOld = async (path: string, ageMs = options.graceMs): Promise<boolean> => {
    const stats = await orElse(disk.lstat(path), null, 'ENOENT')
    return stats !== null && options.now - stats.mtimeMs >= ageMs
  }
  const removeOld = async (path: string): Promise<boolean> => {
    if (!(await isOld(path))) return false
    await discard(disk, path)
    return true
  }
  /** In one step: whoever lives all the same, and is about to rename it, has all of it, or nothing. */
  const discardWhole = async (path: string): Promise<void> => {
    const place = layout.discarded(`${basename(path)}.doomed`)
    await disk.rename(path, place)
    await discard(disk, place)
  }
  const removeOldWhole = async (path: string): Promise<boolean> => {
    if (!(await isOld(path))) return false
    await discardWhole(path)
    return true
  }
  const removeUnheld = async (path: string): Promise<boolean> => {
    if (!(await isOld(path))) return false
    const letGo = await options.claim(path)
    if (letGo === null) return false
    try {
      await discardWhole(path)
      return true
    } finally {
      await attempt(letGo())
    }
  }
  const tidyLock = async (path: string): Promise<boolean> =>
    (await isOld(path)) && options.tidy(path.slice(0, path.lastIndexOf(isHeld(path) ? HELD : OWNER)))
  const removeOver = async (path: string): Promise<boolean> => {
    const waiter = await readWaiter(disk, path)
    if (waiter !== null && !isOver(waiter, options.here, options.now)) return false
    return removeOld(path)
  }
  /** What became of the last build matters no more once there is an entry, nor for ever. */
  const removeAttempt = async (path: string): Promise<boolean> => {
    const id = basename(path, '.json')
    const isPublished = (await orElse(disk.lstat(layout.entry(id)), null, 'ENOENT')) !== null
    return (isPublished || (await isOld(path, ROW_ENDS_AFTER_MS))) && removeOld(path)
  }

  const counts = [
    await each(disk, layout.stage, (name) => TOKEN.test(name), removeUnheld),
    await each(disk, layout.stage, isHeld, tidyLock, WATCHED_AT_ONCE),
    await each(disk, layout.stage, (name) => CANDIDATE.test(name), removeOldWhole),
    await each(disk, layout.stage, (name) => !TOKEN.test(name) && !isHeld(name), removeOld),
    // Whoever tidies a dead lock is on record as its holder meanwhile, and may be killed as well.
    await each(disk, layout.pins, (name) => isHeld(name) || name.endsWith(OWNER), tidyLock, WATCHED_AT_ONCE),
    await each(disk, layout.pins, (name) => TORN_RECORD.test(name), removeOld),
    await each(disk, layout.pins, (name) => CANDIDATE.test(name), removeOldWhole),
    // Who waited for a dead pin was a gc, as long as it watched it.
    await each(disk, layout.pins, (name) => waitedFor(name) !== null, removeOver),
    await emptyTrash(disk, layout, options.now, options.graceMs),
    await each(disk, layout.locks, (name) => isHeld(name) || name.endsWith(OWNER), tidyLock),
    await each(disk, layout.locks, (name) => CANDIDATE.test(name), removeOldWhole),
    await each(disk, layout.locks, (name) => TORN_RECORD.test(name), removeOld),
    await each(disk, layout.locks, (name) => waitedFor(name) !== null, removeOver),
    await each(disk, layout.attempts, (name) => name.endsWith('.json'), removeAttempt),
    await each(disk, layout.attempts, (name) => TORN_RECORD.test(name), removeOld),
    await each(disk, layout.root, (name) => DRAFT.test(name), removeOldWhole),
  ]
  for (const namespace of await directoriesIn(disk, layout.slots))
    counts.push(await each(disk, namespace, (name) => TORN_RECORD.test(name), removeOld))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function each(
  disk: Disk,
  directory: string,
  isMeant: (name: string) => boolean,
  remove: (path: string) => Promise<boolean>,
  concurrency = CONCURRENCY,
): Promise<number> {
  const names = (await listInside(disk, directory)).map(({ name }) => name).filter(isMeant)
  const removed = await pMap(names, async (name) => remove(`${directory}/${name}`).catch(() => false), {
    concurrency,
  })
  return removed.filter(Boolean).length
}
