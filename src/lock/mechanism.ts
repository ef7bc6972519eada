/**
 * How one process excludes another: what kernel, lockfile and memory differ in. frame.ts makes a locker of it.
 */
import type { AcquireOptions, LockerKind, SharedHolds } from './locker.js'

/** How a lock is to be taken. */
export type Manner = Pick<AcquireOptions, 'alone' | 'shared' | 'announce'>

export interface Mechanism {
  readonly kind: LockerKind
  /** Whether a lock can be held by several who all asked to share it. */
  readonly canShare: boolean
  readonly shares?: SharedHolds
  lockPath(path: string): string
  /** Takes the lock if that needs no waiting. */
  tryTake(path: string, manner: Manner): Held | null | Promise<Held | null>
  /** Takes the lock of a file that is still open from the last time; `null`: held, or not that file any more. */
  tryAgain?: ((path: string, manner: Manner) => Held | null) | undefined
  /** Waits for the lock; rejects with `signal.reason` and leaves nothing behind. */
  take(path: string, signal: AbortSignal, manner: Manner): Promise<Held>
}

/** What a mechanism holds. `onLost` is called once at most, never after `release`. */
export interface Held {
  release(): void | Promise<void>
  onLost(lost: (reason: Error) => void): void
  /** Whether nobody can have taken the lock until now, as far as can be told without asking anybody. */
  isSure(): boolean
  /** Whether the lock is still this holder's, as far as a look at the disk tells. */
  check(): Promise<boolean>
  handOn(): number | null
  /** Which file is locked: no other has this identity while the lock is held. */
  readonly identity?: string
}
