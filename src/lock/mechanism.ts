/**
 * How one process excludes another: what kernel, lockfile and memory differ in. frame.ts makes a locker of it.
 */
import type { LockerKind, SharedHolds } from './locker.js'

export interface Mechanism {
  readonly kind: LockerKind
  readonly shares?: SharedHolds
  lockPath(path: string): string
  /** Takes the lock if that needs no waiting. `alone`: see AcquireOptions. */
  tryTake(path: string, alone: boolean): Held | null | Promise<Held | null>
  /** Waits for the lock; rejects with `signal.reason` and leaves nothing behind. */
  take(path: string, signal: AbortSignal, alone: boolean): Promise<Held>
}

/** What a mechanism holds. `onLost` is called once at most, never after `release`. */
export interface Held {
  release(): void | Promise<void>
  onLost(lost: (reason: Error) => void): void
  /** Whether the lock is still this holder's, as far as a look at the disk tells. */
  check(): Promise<boolean>
  handOn(): number | null
}
