/**
 * What happens, for those who want to watch: one diagnostics channel, `cachelatch`. What a person must know without
 * having asked also goes out as a process warning, so that no guarantee is ever given up in silence.
 */
import { channel } from 'node:diagnostics_channel'
import type { Outcome } from '../core/outcome.js'
import { describeOwner } from '../core/owner.js'
import { warn } from '../host/warning.js'
import type { AcquireOptions, Lease, Locker, Wait } from '../lock/locker.js'

/** What a lock is for: the build of a key, or any work on a path. */
export type LockSubject = { key: string; target?: undefined } | { key?: undefined; target: string }

export type LatchEvent =
  /** As soon as the waiting has begun, after one second, then every ten. */
  | ({ type: 'waiting' } & LockSubject & Wait)
  /** Told of every wait whose begin was told. `got`: the lock was had in the end. */
  | ({ type: 'wait-ended'; path: string; got: boolean } & LockSubject)
  /** `withLock`, `writeFile` and `writeDirectory` hold the lock of `target`, or hold it no longer. */
  | { type: 'locked'; path: string; target: string }
  | { type: 'unlocked'; path: string; target: string }
  | { type: 'build-started'; key: string; stage: string }
  | { type: 'build-failed'; key: string; error: unknown; elapsedMs: number }
  | {
      type: 'published'
      key: string
      path: string
      bytes: number
      buildMs: number
      publishMs: number
      ours: boolean
    }
  | { type: 'obtained'; key: string; path: string; outcome: Outcome; elapsedMs: number }
  /** An entry that somebody had in hand. */
  | { type: 'released'; path: string }
  /** The command around which the command line has a lock, or an entry. */
  | { type: 'child-started'; pid: number; command: string[] }
  | { type: 'child-ended'; exitCode: number }
  | { type: 'damaged'; key: string; path: string; reason: string }
  | { type: 'unpinned'; path: string; error: unknown }
  | { type: 'lease-lost'; path: string; error: unknown }
  | { type: 'degraded'; root: string; key: string; error: unknown }

const events = channel('cachelatch')

export function emit(event: LatchEvent): void {
  if (events.hasSubscribers) events.publish(event)
}

/** Takes a lock, and tells about the waiting. Costs a closure as long as nobody watches: a free lock is had in 5 µs. */
export function acquireTold(
  locker: Locker,
  path: string,
  subject: LockSubject,
  options: AcquireOptions,
): Promise<Lease> {
  const { onWait = warnOfWait } = options
  const tell = (wait: Wait): void => emit({ type: 'waiting', ...subject, ...wait })
  const tellBoth = (wait: Wait): void => {
    tell(wait)
    onWait(wait)
  }
  const told = { ...options, onWait: tellBoth }
  return events.hasSubscribers
    ? acquireWatched(locker, path, subject, told, tell)
    : locker.acquire(path, told)
}

async function acquireWatched(
  locker: Locker,
  path: string,
  subject: LockSubject,
  options: AcquireOptions,
  tell: (wait: Wait) => void,
): Promise<Lease> {
  let begun = false
  let got = false
  const onBlocked = (wait: Wait): void => {
    begun = true
    tell(wait)
  }
  try {
    const lease = await locker.acquire(path, { ...options, onBlocked })
    got = true
    return lease
  } finally {
    if (begun) emit({ type: 'wait-ended', path, got, ...subject })
  }
}

function warnOfWait(wait: Wait): void {
  const seconds = Math.round(wait.waitedMs / 1000)
  const limit = Number.isFinite(wait.timeoutMs)
    ? `, at most ${Math.round(wait.timeoutMs / 1000)} s (timeoutMs)`
    : ''
  const since = wait.owner ? `, since ${new Date(wait.owner.since).toISOString()}` : ''
  warn(
    `Waiting for ${describeOwner(wait.owner)}${since}: ${seconds} s so far${limit}. Lock: ${wait.path}`,
    'CACHELATCH_WAITING',
  )
}

/** The cache could not be used, and the work goes on without. */
export function announceDegradation(root: string, key: string, error: unknown): void {
  emit({ type: 'degraded', root, key, error })
  const why = error instanceof Error ? error.message : String(error)
  warn(`The cache cannot be used, compiling into a private directory: ${why}`, 'CACHELATCH_DEGRADED')
}

export function announceDamage(key: string, path: string, reason: string): void {
  emit({ type: 'damaged', key, path, reason })
  warn(`A damaged entry is set aside and compiled anew: ${reason} (${path})`, 'CACHELATCH_DAMAGED')
}
