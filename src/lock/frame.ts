/**
 * A locker is a mechanism (how one process excludes another) in a frame that is the same for all: the queue in the
 * process, abort, time-out, announcements, the owner record, the lease.
 */
import { LatchError } from '../core/errors.js'
import type { Owner } from '../core/owner.js'
import type { Disk } from '../host/disk.js'
import type { Host } from '../host/host.js'
import { HeldLease, LeaseWatch } from './lease.js'
import type { AcquireOptions, Lease, Locker } from './locker.js'
import type { Held, Mechanism } from './mechanism.js'
import { readOwner } from './owner-record.js'
import { Queue } from './queue.js'
import { Waiting, timedOut } from './waiting.js'
import { WaitingRecords } from './waiting-records.js'

export function createLocker(host: Host, disk: Disk, mechanism: Mechanism): Locker {
  const queue = new Queue()
  const watch = new LeaseWatch(host, disk)
  const records = mechanism.kind === 'memory' ? null : new WaitingRecords(host, disk)

  async function acquire(path: string, options: AcquireOptions = {}): Promise<Lease> {
    assertPossible(path, options)
    const inFront = queue.tryEnter(path, options.shared)
    if (inFront) {
      const held = await tryInFront(path, options)
      if (held !== null) return lease(path, held, false, options)
    }
    return waitFor(path, options, inFront)
  }

  function acquireAgain(path: string, options: AcquireOptions): Lease | null {
    assertPossible(path, options)
    if (!mechanism.tryAgain || !queue.tryEnter(path, options.shared)) return null
    let held: Held | null = null
    try {
      held = mechanism.tryAgain(path, options)
    } finally {
      if (held === null) queue.leave(path)
    }
    return held && lease(path, held, false, options)
  }

  function assertPossible(path: string, { signal, timeoutMs = 0, shared }: AcquireOptions): void {
    if (!(timeoutMs >= 0)) throw new TypeError(`timeoutMs is a number of milliseconds, not ${timeoutMs}.`)
    if (shared && !mechanism.canShare) throw cannotShare(mechanism.kind, mechanism.lockPath(path))
    signal?.throwIfAborted()
  }

  /** Without a promise where the mechanism needs none: an uncontended kernel lock is three system calls. */
  function tryInFront(path: string, options: AcquireOptions): Held | null | Promise<Held | null> {
    let held: Held | null | Promise<Held | null>
    try {
      held = mechanism.tryTake(path, options)
    } catch (error) {
      queue.leave(path)
      throw error
    }
    return held instanceof Promise ? leaveOnError(path, held) : held
  }

  async function waitFor(path: string, options: AcquireOptions, inFront: boolean): Promise<Lease> {
    const shown = options.alone ? null : records
    const waiting = new Waiting(host, path, options, () => ownerOf(path), shown)
    try {
      if (options.timeoutMs === 0) await giveUpAtOnce(path, waiting, inFront)
      if (!inFront) await queue.enter(path, options.shared ?? false, waiting.signal)
      const held = await leaveOnError(path, mechanism.take(path, waiting.signal, options))
      return lease(path, held, true, options)
    } finally {
      const ended = waiting.stop()
      if (ended) await ended
    }
  }

  async function giveUpAtOnce(path: string, waiting: Waiting, inFront: boolean): Promise<never> {
    if (inFront) queue.leave(path)
    throw timedOut(await waiting.describe())
  }

  async function leaveOnError<T>(path: string, taking: Promise<T>): Promise<T> {
    try {
      return await taking
    } catch (error) {
      queue.leave(path)
      throw error
    }
  }

  async function ownerOf(path: string): Promise<Owner | null> {
    return mechanism.kind === 'memory' ? null : ((await readOwner(disk, path))?.owner ?? null)
  }

  function lease(path: string, held: Held, waited: boolean, options: AcquireOptions): Lease {
    const terms = {
      waited,
      shared: options.shared ?? false,
      keepsRecord: mechanism.kind !== 'memory' && !options.alone,
      label: options.label ?? null,
    }
    const lease = new HeldLease(watch, path, held, terms, () => queue.leave(path))
    if (options.announce) lease.record()
    return lease
  }

  return {
    kind: mechanism.kind,
    ...(mechanism.shares && { shares: mechanism.shares }),
    lockPath: (path) => mechanism.lockPath(path),
    acquire,
    ...(mechanism.tryAgain && { acquireAgain }),
  }
}

function cannotShare(kind: string, path: string): LatchError {
  return new LatchError('LOCK_UNAVAILABLE', `The \`${kind}\` lock cannot be shared: ${path}`, {
    hint: 'Take it without sharing, or use a local file system, where the lock is flock(2).',
    path,
  })
}
