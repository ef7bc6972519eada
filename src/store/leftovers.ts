/** What crashes have left: stages whose writer is gone, half-deleted trash, drafts, candidates of network locks. */
import pMap from 'p-map'
import type { Disk } from '../host/disk.js'
import { attempt, orElse } from '../host/disk-errors.js'
import type { Layout } from './layout.js'
import { discard } from './stage.js'

export interface LeftoverOptions {
  /** Milliseconds since 1970. */
  now: number
  /** What changed less than this many milliseconds ago is left alone. */
  graceMs: number
  /** Takes the lock that a living writer would hold; `null`: it lives. Resolves to the way to let go. */
  claim(path: string): Promise<(() => Promise<void>) | null>
}

const CONCURRENCY = 8
/** 128 random bits in hex, as stages, pins and tokens are named. */
const TOKEN = /^(?:[0-9a-f]{64}\.)?[0-9a-f]{32}$/
const CANDIDATE = /\.held-[0-9a-f]{32}$/
/** Of records: see writeRecord. */
const RECORD_DRAFT = /\.json\.[0-9a-f]{32}(?:\.\d+)?$/
const DRAFT = /^\.v\d+-[0-9a-f]{32}$|^\.probe-[0-9a-f]{32}$/

/** Returns how many were removed. Whatever cannot be removed is left for the next time. */
export async function collectLeftovers(
  disk: Disk,
  layout: Layout,
  options: LeftoverOptions,
): Promise<number> {
  const isOld = async (path: string): Promise<boolean> => {
    const stats = await orElse(disk.lstat(path), null, 'ENOENT')
    return stats !== null && options.now - stats.mtimeMs >= options.graceMs
  }
  const removeClaimed = async (path: string): Promise<boolean> => {
    if (!(await isOld(path))) return false
    const letGo = await options.claim(path)
    if (letGo === null) return false
    await discard(disk, path)
    await attempt(letGo())
    return true
  }
  const removeOld = async (path: string): Promise<boolean> => {
    if (!(await isOld(path))) return false
    await discard(disk, path)
    return true
  }
  const counts = [
    await each(disk, layout.stage, (name) => TOKEN.test(name), removeClaimed),
    await each(disk, layout.stage, (name) => !TOKEN.test(name), removeOld),
    await each(
      disk,
      layout.pins,
      (name) => name.endsWith('.held'),
      (path) => removeClaimed(path.slice(0, -'.held'.length)),
    ),
    await each(
      disk,
      layout.trash,
      () => true,
      async (path) => (await discard(disk, path), true),
    ),
    await each(disk, layout.locks, (name) => CANDIDATE.test(name) || RECORD_DRAFT.test(name), removeOld),
    await each(disk, layout.attempts, (name) => RECORD_DRAFT.test(name), removeOld),
    await each(disk, layout.root, (name) => DRAFT.test(name), removeOld),
  ]
  return counts.reduce((sum, count) => sum + count, 0)
}

async function each(
  disk: Disk,
  directory: string,
  isMeant: (name: string) => boolean,
  remove: (path: string) => Promise<boolean>,
): Promise<number> {
  const names = (await orElse(disk.readdir(directory), [], 'ENOENT')).map(({ name }) => name).filter(isMeant)
  const removed = await pMap(names, async (name) => remove(`${directory}/${name}`).catch(() => false), {
    concurrency: CONCURRENCY,
  })
  return removed.filter(Boolean).length
}
