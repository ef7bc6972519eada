/**
 * A locker is a mechanism (how one process excludes another) in a frame that is the same for all: the queue in
 * the process, abort, time-out, announcements, the owner record, the lease.
 */
import type { Owner } from '../core/owner.js'
import type { Disk } from '../host/disk.js'
import type { Host } from '../host/host.js'
import type { AcquireOptions, Lease, Locker, LockerKind, SharedHolds } from './locker.js'
import { readOwner, removeOwner, writeOwner } from './owner-record.js'
import { Queue } from './queue.js'
import { Waiting, timedOut } from './waiting.js'

export interface Mechanism {
  readonly kind: LockerKind
  readonly shares?: SharedHolds
  lockPath(path: string): string
  /** Takes the lock if that needs no waiting. `alone`: see AcquireOptions. */
  tryTake(path: string, alone: boolean): Promise<Held | null>
  /** Waits for the lock; rejects with `signal.reason` and leaves nothing behind. */
  take(path: string, signal: AbortSignal, alone: boolean): Promise<Held>
}

/** What a mechanism holds. `onLost` is called once at most, never after `release`. */
export interface Held {
  release(): Promise<void>
  onLost(lost: (reason: Error) => void): void
  /** Whether the lock is still this holder's, as far as a look at the disk tells. */
  check(): Promise<boolean>
  handOn(): number | null
}

/**
 * An owner record costs 100 µs and more, a lock 5: so short holds leave none. Nobody asks who holds a lock before
 * having waited a second for it.
 */
const RECORD_AFTER_MS = 25
const CHECK_EVERY_MS = 1_000

export function createLocker(host: Host, disk: Disk, mechanism: Mechanism): Locker {
  const queue = new Queue()

  async function acquire(path: string, options: AcquireOptions = {}): Promise<Lease> {
    options.signal?.throwIfAborted()
    if (queue.tryEnter(path)) {
      const held = await leaveOnError(path, mechanism.tryTake(path, options.alone ?? false))
      if (held !== null) return lease(path, held, false, options)
      return waitFor(path, options, true)
    }
    return waitFor(path, options, false)
  }

  async function waitFor(path: string, options: AcquireOptions, inFront: boolean): Promise<Lease> {
    const waiting = new Waiting(host, path, options, () => ownerOf(path))
    try {
      if (options.timeoutMs === 0) await giveUpAtOnce(path, waiting, inFront)
      if (!inFront) await queue.enter(path, waiting.signal)
      const held = await leaveOnError(path, mechanism.take(path, waiting.signal, options.alone ?? false))
      return lease(path, held, true, options)
    } finally {
      waiting.stop()
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

  function ownerOf(path: string): Promise<Owner | null> {
    return mechanism.kind === 'memory' ? Promise.resolve(null) : readOwner(disk, path)
  }

  function lease(path: string, held: Held, waited: boolean, options: AcquireOptions): Lease {
    const keepsRecord = mechanism.kind !== 'memory' && !options.alone
    const since = host.clock.wallTime()
    let recorded: Promise<void> | undefined
    let cancel = (): void => undefined
    let released: Promise<void> | undefined
    let controller: AbortController | undefined
    let lost: Error | undefined

    const record = (): void => {
      if (keepsRecord) recorded ??= writeOwner(disk, path, host.processes.asOwner(since))
    }
    const lose = (reason: Error): void => {
      lost ??= reason
      controller?.abort(lost)
    }
    const watch = async (): Promise<void> => {
      record()
      if (!(await held.check())) lose(new Error(`The lock was taken away from under its holder: ${path}`))
      if (released === undefined && lost === undefined)
        cancel = host.clock.later(CHECK_EVERY_MS, () => void watch())
    }
    const letGo = async (): Promise<void> => {
      cancel()
      try {
        // In this order, so that a successor's record is never removed.
        await recorded
        if (recorded && lost === undefined) await removeOwner(disk, path)
        await held.release()
      } finally {
        queue.leave(path)
      }
    }

    held.onLost(lose)
    // Whoever had to wait is likely to have somebody waiting behind.
    if (options.announce || waited) record()
    cancel = host.clock.later(RECORD_AFTER_MS, () => void watch())
    const release = (): Promise<void> => (released ??= letGo())
    return {
      path,
      waited,
      get signal() {
        controller ??= new AbortController()
        if (lost) controller.abort(lost)
        return controller.signal
      },
      handOn: () => held.handOn(),
      release,
      [Symbol.asyncDispose]: release,
    }
  }

  return {
    kind: mechanism.kind,
    ...(mechanism.shares && { shares: mechanism.shares }),
    lockPath: (path) => mechanism.lockPath(path),
    acquire,
  }
}
