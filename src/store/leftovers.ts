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
/** 128 random bits in hex: a stage. */
const TOKEN = /^[0-9a-f]{32}$/
/** A network lock that shows that somebody lives: `<stage or pin>.held`. */
const HELD = '.held'
const CANDIDATE = /\.held-[0-9a-f]{32}$/
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
  const removeUnheld = async (path: string, sign = path): Promise<boolean> => {
    if (!(await isOld(sign))) return false
    const letGo = await options.claim(path)
    if (letGo === null) return false
    await discard(disk, path)
    await attempt(letGo())
    return true
  }
  const removeHeld = (sign: string): Promise<boolean> => removeUnheld(sign.slice(0, -HELD.length), sign)
  const remove = async (path: string): Promise<boolean> => {
    await discard(disk, path)
    return true
  }
  const removeOld = async (path: string): Promise<boolean> => (await isOld(path)) && remove(path)
  const isHeld = (name: string): boolean => name.endsWith(HELD)
  const isOther = (name: string): boolean => !TOKEN.test(name) && !isHeld(name)

  const counts = [
    await each(disk, layout.stage, (name) => TOKEN.test(name), removeUnheld),
    await each(disk, layout.stage, isHeld, removeHeld),
    await each(disk, layout.stage, isOther, removeOld),
    await each(disk, layout.pins, isHeld, removeHeld),
    await each(disk, layout.pins, isOther, removeOld),
    await each(disk, layout.trash, () => true, remove),
    await each(disk, layout.locks, (name) => CANDIDATE.test(name), removeOld),
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
