/**
 * The contract that every locker keeps. One suite, test/contract/, is run against each of them.
 *
 * 1. `acquire` resolves only after every earlier holder has released, died, or been presumed dead. Holders who all
 *    asked to share the lock do not wait for each other: not every locker can do that, and one that cannot says so.
 * 2. `lease.signal` aborts as soon as the holder can no longer be sure that it holds. An event loop that is blocked
 *    hears of that late; reading `lease.signal` looks anew, so what was done before it reads as not aborted was done
 *    alone. A lease that may have been lost protects work, never data: what is published is right without any lock.
 * 3. A second `acquire` in one process queues behind the first, in order of arrival: who wants to share queues behind
 *    who waits for an exclusive one. Among processes there is no order, and a stream of sharers may starve the others.
 * 4. `release` is idempotent. Abort or time-out of a waiter, at any point, leaves nothing behind: no lock,
 *    no file descriptor, no helper process, no place in the queue.
 * 5. Waiting is announced: after a second, then every ten. After that second it is on record, for others to see,
 *    until it ends.
 *
 * A lock is named by a path without suffix, `<root>/v1/locks/<name>`; each locker adds its own.
 */
import type { Owner, Verdict } from '../core/owner.js'

export type LockerKind = 'kernel' | 'lockfile' | 'memory'

export interface Locker {
  /** Recorded in format.json; a locker of another origin (a test, a distributed engine) names itself. */
  readonly kind: string
  acquire(path: string, options?: AcquireOptions): Promise<Lease>
  /**
   * The same without a promise, for a lock that this process has let go a moment ago: `null` when somebody has it, or
   * when its file is not at `path` any more, so what was known of its directory holds for whoever gets a lease.
   */
  acquireAgain?: ((path: string, options: AcquireOptions) => Lease | null) | undefined
  /** The path that another program must lock to be excluded, and how. */
  lockPath(path: string): string
  /** Shared and exclusive holds on an open file, without waiting, where that is cheap: pins use it. */
  readonly shares?: SharedHolds
}

export interface SharedHolds {
  /** `false`: somebody claims the file. The hold lives as long as the descriptor. */
  hold(fd: number): boolean | Promise<boolean>
  /** The same without a promise, where nothing has to be started for it. */
  holdAtOnce?: ((fd: number) => boolean) | undefined
  /** `false`: somebody holds the file. */
  claim(fd: number): boolean | Promise<boolean>
}

export interface AcquireOptions {
  signal?: AbortSignal | undefined
  /** Longest wait in milliseconds, default one hour; 0 tries once; Infinity waits as long as it takes. */
  timeoutMs?: number | undefined
  onWait?: ((wait: Wait) => void) | undefined
  /** Called once, as soon as the waiting has begun and the owner's record was read; not when it is over by then. */
  onBlocked?: ((wait: Wait) => void) | undefined
  /** Record the owner at once: for holds that are known to be long, such as a build. */
  announce?: boolean | undefined
  /** Held together with others who share it; without, by one alone. @throws LOCK_UNAVAILABLE where that cannot be */
  shared?: boolean | undefined
  /** What the lock is for, in a few words (the key of an entry): told to those who ask who holds it. */
  label?: string | undefined
  /** Nobody else asks for this lock, it only shows that its holder lives: no owner record, no gate. */
  alone?: boolean | undefined
}

export const DEFAULT_TIMEOUT_MS = 60 * 60 * 1000

export interface Wait {
  path: string
  /** Who holds the lock, as far as its record says. */
  owner: Owner | null
  verdict: Verdict
  waitedMs: number
  timeoutMs: number
}

export interface Lease {
  readonly path: string
  /** Whether another holder had to be waited for. */
  readonly waited: boolean
  readonly signal: AbortSignal
  /**
   * A descriptor that keeps the lock held as long as any process has it open: pass it in a child's `stdio`, and
   * the lock outlives this process. `null` where the locker has no such thing.
   */
  handOn(): number | null
  release(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
