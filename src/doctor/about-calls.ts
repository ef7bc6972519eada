/** What every call that a cache is made of has done when it was tried. */
import type { Finding } from '../core/report.js'
import { PRIMITIVES, type PrimitiveName, type Trial } from '../host/primitives.js'
import { findingsOf } from './finding.js'

const { ok, note, warning, problem } = findingsOf('calls')

export const WANT_OF_ROOM = ['ENOSPC', 'EDQUOT']

/** `null`: it could not be tried for want of room, which is a finding of its own. */
export function aboutPrimitive(name: PrimitiveName, trial: Trial): Finding | null {
  const { title, need, without } = PRIMITIVES[name]
  if (trial.can) return ok(name, title, trial.detail)
  if (trial.errno !== null && WANT_OF_ROOM.includes(trial.errno)) return null
  if (need === 'must') return problem(name, title, trial.detail, without)
  return note(name, title, `${trial.detail}: ${without}`)
}

export function aboutHanging(call: string): Finding {
  return problem(
    'hangs',
    'answering',
    `${call}, and the rest was not tried`,
    'The server or the FUSE process behind this file system may be down: look at the kernel log, and at mount(8).',
  )
}

export function aboutFailing(message: string): Finding {
  return problem(
    'fails',
    'answering',
    `${message}; the rest was not tried`,
    'The file system reported this: look at the kernel log.',
  )
}

export function aboutPublishing(ms: number): Finding {
  return ok('publish-time', 'publishing', `one small file, safe on the device, took ${ms.toFixed(1)} ms`)
}

/** gc leaves alone what is younger than a minute, by the clock that stamps files. */
const GRACE_MS = 60_000

export function aboutClock(skewMs: number): Finding {
  const seconds = (Math.abs(skewMs) / 1000).toFixed(0)
  const which = skewMs > 0 ? 'ahead of' : 'behind'
  if (skewMs === 0) return ok('clock', 'clock', 'files are stamped with the time that it is here')
  const detail = `files are stamped ${seconds} s ${which} this host's clock`
  if (Math.abs(skewMs) < GRACE_MS / 2)
    return note('clock', 'clock', `${detail}; no lock depends on it, and gc's ages are off by as much`)
  return warning(
    'clock',
    'clock',
    `${detail}: gc takes the age of things for so much more or less`,
    "Run NTP on the server and here; until then, give 'cachelatch gc' a --grace that is longer than that.",
  )
}
