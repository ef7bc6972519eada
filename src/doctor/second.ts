/** The same directory through another mount: first that it is the same, then what excludes between the two. */
import type { LockTrial, SecondReport } from '../core/report.js'
import type { Host } from '../host/host.js'
import { type Side, exactlyOneWon, raceAll, timeVisibility, tryLock, unlessOfDisk } from './trials.js'

export interface Other {
  /** As it was given. */
  path: string
  /** The probing directory, as it is seen from here and from there. */
  sides: [Side, Side]
  sameMount: boolean
  chosenThere: string
  /** Both sides are local file systems: on others, two mounts of one host say nothing of two hosts. */
  local: boolean
}

export const NOTHING_MEASURED = {
  sameDirectory: null,
  reason: null,
  sameMount: false,
  kernel: null,
  lockfile: null,
  firstWins: null,
  newNameMs: null,
  replacedFileMs: null,
  chosenThere: null,
  right: null,
} as const

export async function compareSides(
  host: Host,
  { path, sides, sameMount, chosenThere, local }: Other,
): Promise<SecondReport> {
  // The name of the probing directory is 128 random bits: what is seen below it is ours.
  const times = await timeVisibility(host, sides)
  if (times.newNameMs === null) {
    const reason = `what is written here is not seen in ${path}: it is another directory`
    return { ...NOTHING_MEASURED, path, sameDirectory: false, reason }
  }
  const firstWins = await race(sides)
  const kernel = await tryLock(host, 'kernel', 'second-kernel', sides)
  const lockfile = await tryLock(host, 'lockfile', 'second-lockfile', sides)
  const right = sameMount ? null : rightOf(local, kernel, lockfile)
  return {
    ...NOTHING_MEASURED,
    path,
    sameDirectory: true,
    sameMount,
    kernel,
    lockfile,
    firstWins,
    ...times,
    chosenThere,
    right,
  }
}

/** `null`: one of them cannot write. */
async function race([a, b]: [Side, Side]): Promise<boolean | null> {
  const ran = await Promise.all([raceAll(a).catch(unlessOfDisk), raceAll(b).catch(unlessOfDisk)])
  return ran[0] && ran[1] && exactlyOneWon(ran[0], ran[1])
}

function rightOf(local: boolean, kernel: LockTrial, lockfile: LockTrial): SecondReport['right'] {
  if (local && kernel.excludes && kernel.freedByDeath) return 'kernel'
  return lockfile.excludes ? 'lockfile' : null
}
