/** How much crashes have left, counted without touching it: to take it away, leftovers.ts first has to claim it. */
import type { LeftoverCounts } from '../core/report.js'
import type { Disk } from '../host/disk.js'
import { orElse } from '../host/disk-errors.js'
import { listInside } from './inside.js'
import { directoriesIn } from './inventory.js'
import type { Layout } from './layout.js'
import { CANDIDATE, DRAFT, TOKEN, TORN_RECORD } from './leftovers.js'

export interface CountOptions {
  /** Milliseconds since 1970. */
  now: number
  /** What changed less than this many milliseconds ago may still be somebody's. */
  graceMs: number
  /** Whether somebody is seen to write the stage. */
  isAlive: (stage: string) => boolean
}

/** Without `records`: whoever has read them knows which are of the dead. Also counts what is alive. */
export async function countLeftovers(
  disk: Disk,
  layout: Layout,
  { now, graceMs, isAlive }: CountOptions,
): Promise<{ living: number; left: Omit<LeftoverCounts, 'records'> }> {
  const isOld = async (path: string): Promise<boolean> => {
    const stats = await orElse(disk.lstat(path), null, 'ENOENT')
    if (stats === null) return false
    // When something was moved to the trash, only the ctime tells.
    return now - (path.startsWith(layout.trash) ? stats.ctimeMs : stats.mtimeMs) >= graceMs
  }
  const namesIn = async (directory: string): Promise<string[]> =>
    (await listInside(disk, directory)).map(({ name }) => name)
  const countOld = async (directory: string, names: string[]): Promise<number> => {
    let count = 0
    for (const name of names) if (await isOld(`${directory}/${name}`)) count++
    return count
  }
  const drafts = async (directory: string, form: RegExp): Promise<number> =>
    countOld(
      directory,
      (await namesIn(directory)).filter((name) => form.test(name)),
    )

  const tornMarks = async (): Promise<number> => {
    let sum = 0
    for (const namespace of await directoriesIn(disk, layout.slots))
      sum += await drafts(namespace, TORN_RECORD)
    return sum
  }

  const stages = (await namesIn(layout.stage)).filter((name) => TOKEN.test(name))
  const silent = stages.filter((name) => !isAlive(layout.staged(name)))
  const dead = await countOld(layout.stage, silent)
  const trash = await namesIn(layout.trash)
  const doomed = trash.filter((name) => !TOKEN.test(name))
  const undecided = trash.filter((name) => TOKEN.test(name))
  return {
    living: stages.length - dead,
    left: {
      stages: dead,
      trash: doomed.length + (await countOld(layout.trash, undecided)),
      drafts:
        (await drafts(layout.root, DRAFT)) +
        (await drafts(layout.locks, CANDIDATE)) +
        (await drafts(layout.locks, TORN_RECORD)) +
        (await drafts(layout.attempts, TORN_RECORD)) +
        (await drafts(layout.stage, CANDIDATE)) +
        (await drafts(layout.pins, CANDIDATE)) +
        (await tornMarks()),
    },
  }
}
