/** Which lock is used, why, and whether it does what it is there for: between two processes, as measured. */
import type { DoctorReport, Finding, LockTrial, SecondReport } from '../core/report.js'
import type { Situation } from '../host/situation.js'
import type { Contents } from './contents.js'
import { findingsOf } from './finding.js'

const locks = findingsOf('locks')
const second = findingsOf('second')

type LockerReport = NonNullable<DoctorReport['locker']>

const NEW_CACHE =
  'Let everybody use one locker: remove the cache, and create it with CACHELATCH_LOCKER=lockfile in the environment.'

/** The locker that counts: what the cache has, else what it would get. */
export function lockerInForce({ recorded, chosen }: LockerReport): string {
  return recorded ?? chosen
}

export function aboutLocks(locker: LockerReport, contents: Contents | null): Finding[] {
  const { chosen, reason, recorded } = locker
  const findings = [
    recorded === null || recorded === chosen
      ? locks.ok('locker', 'locker', `${chosen}: ${reason}`)
      : aboutDifference(recorded, chosen, reason),
    aboutKernelLock(locker),
    aboutLockfile(locker),
  ]
  if (contents?.formatError)
    findings.unshift(
      locks.problem(
        'format',
        'format.json',
        contents.formatError,
        'Use the version of cachelatch that made this cache, or remove the directory: a cache can be compiled anew.',
      ),
    )
  return findings
}

function aboutDifference(recorded: string, chosen: string, reason: string): Finding {
  if (recorded === 'lockfile')
    return locks.note(
      'locker',
      'locker',
      `lockfile, as the cache was created with it; ${chosen} would do from here (${reason}), and be faster`,
    )
  const means =
    recorded === 'kernel'
      ? 'who comes from here is refused (LOCKER_MISMATCH), or not excluded'
      : 'which excludes no process that does not bring it along'
  const detail = `the cache was created with ${recorded}, but ${reason}: ${means}`
  return locks.problem('locker', 'locker', detail, NEW_CACHE)
}

function aboutKernelLock(locker: LockerReport): Finding {
  const { excludes, reason, freedByDeath } = locker.kernel
  const inForce = lockerInForce(locker) === 'kernel'
  if (excludes === null) return locks.note('flock', 'flock', `not measured: ${reason}`)
  if (!excludes) {
    const detail = 'two processes held one lock at once'
    return inForce
      ? locks.problem('flock', 'flock', detail, NEW_CACHE)
      : locks.note('flock', 'flock', `${detail}; it is not used here`)
  }
  if (freedByDeath === false) {
    const detail = 'excludes, but a killed holder keeps it'
    return inForce
      ? locks.problem('flock', 'flock', detail, NEW_CACHE)
      : locks.note('flock', 'flock', `${detail}; it is not used here`)
  }
  const freed = freedByDeath ? ', and a killed holder is succeeded at once' : ''
  if (inForce) return locks.ok('flock', 'flock', `excludes between two processes${freed}`)
  const but = 'through another mount or host it may not, so it is not relied upon'
  return locks.note('flock', 'flock', `excludes between two processes through this mount; ${but}`)
}

function aboutLockfile(locker: LockerReport): Finding {
  const { excludes, reason } = locker.lockfile
  const inForce = lockerInForce(locker) === 'lockfile'
  if (excludes === null) return locks.note('lockfile', 'network lock', `not measured: ${reason}`)
  if (excludes)
    return locks.ok(
      'lockfile',
      'network lock',
      `excludes between two processes${inForce ? '' : '; not in use'}`,
    )
  const detail = 'two processes held one lock at once'
  return inForce
    ? locks.problem('lockfile', 'network lock', detail, 'No cache is safe here: use another file system.')
    : locks.note('lockfile', 'network lock', `${detail}; it is not in use`)
}

/** In front of the network lock: who is killed is succeeded at once by others of this host. */
export function aboutGate({ state, fileSystem, nearest }: Situation, path: string): Finding {
  const lost = 'no gate: a killed holder is succeeded after its heartbeat has stopped, also on this host'
  const advice = 'Point CACHELATCH_GATE_DIR at a directory on a local disk that this user may write to.'
  if (state !== 'directory')
    return locks.warning('gate', 'gate', `${path} is no directory, so ${lost}`, advice)
  if (fileSystem.locality !== 'local')
    return locks.warning('gate', 'gate', `${path} is on ${fileSystem.type}, so ${lost}`, advice)
  return locks.ok('gate', 'gate', `in ${nearest}, on a local disk`)
}

/** What holds on both sides, and whether the cache's locker is right for it. */
export function aboutSecond(report: SecondReport, inForce: string | null): Finding[] {
  const { path, sameDirectory, sameMount, kernel, lockfile, firstWins, right } = report
  if (sameDirectory !== true) return [aboutStrangeDirectory(report)]
  const findings = [second.ok('same-directory', 'same directory', `what is written here is seen in ${path}`)]
  if (sameMount)
    findings.push(
      second.note(
        'same-mount',
        'one mount',
        'both paths lead through it: what follows says nothing of another',
      ),
    )
  findings.push(
    aboutBoth('second-flock', 'flock', kernel!),
    aboutBoth('second-lockfile', 'network lock', lockfile!),
  )
  findings.push(aboutRaces(firstWins), ...aboutVisibility(report))
  if (!sameMount) findings.push(aboutRight(right, inForce))
  return findings
}

function aboutRaces(firstWins: boolean | null): Finding {
  const title = 'creating, making, renaming'
  if (firstWins === null) return second.note('first-wins', title, 'not measured: one of the two cannot write')
  if (firstWins) return second.ok('first-wins', title, 'of two at once exactly one succeeds')
  const advice = 'No cache is safe here: use another file system.'
  return second.problem('first-wins', title, 'of two at once, both or none succeeded', advice)
}

function aboutStrangeDirectory({ reason }: SecondReport): Finding {
  const advice =
    'Give the same directory as it is seen from the other side; both have to be there, and writable.'
  return second.problem('same-directory', 'same directory', `cannot be shown: ${reason}`, advice)
}

function aboutBoth(id: string, title: string, { excludes, reason }: LockTrial): Finding {
  if (excludes === null) return second.warning(id, title, `not measured between the two: ${reason}`)
  return excludes
    ? second.ok(id, title, 'excludes between the two')
    : second.note(id, title, 'excludes nobody between the two')
}

/** Waiters poll the network lock at half a second: what is slower than that is felt. */
const SLOW_MS = 1_000

function aboutVisibility({ newNameMs, replacedFileMs }: SecondReport): Finding[] {
  const times = [
    { id: 'new-name', title: 'a new name', ms: newNameMs },
    { id: 'replaced-file', title: 'a replaced file', ms: replacedFileMs },
  ]
  return times.flatMap(({ id, title, ms }) => {
    if (ms === null) return []
    const detail = `was seen on the other side after ${Math.ceil(ms)} ms`
    if (ms <= SLOW_MS) return second.ok(id, title, detail)
    return second.note(id, title, `${detail}: waiters hear of an entry so much later`)
  })
}

function aboutRight(right: SecondReport['right'], inForce: string | null): Finding {
  if (right === null)
    return second.problem(
      'right-locker',
      'the right locker',
      'none excludes on both sides: work is done twice, and entries stay whole',
      'Use another file system, or one cache for each side.',
    )
  if (inForce === null || inForce === right)
    return second.ok(
      'right-locker',
      'the right locker',
      `${right}${inForce === right ? ', and that is what is used' : ''}`,
    )
  if (right === 'kernel')
    return second.note(
      'right-locker',
      'the right locker',
      `kernel would do; ${inForce} is in use, safe and slower`,
    )
  return second.problem(
    'right-locker',
    'the right locker',
    `${right}, but ${inForce} is in use: it excludes nobody on the other side`,
    NEW_CACHE,
  )
}
