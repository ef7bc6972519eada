/** Time and waiting. `now` is monotonic and this process's own; `wallTime` is only ever shown or recorded. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Clock {
  /** Milliseconds, monotonic, from an arbitrary origin. */
  now(): number
  /** The same in nanoseconds: what the threads of a process share a word about. */
  nowNs(): bigint
  /** Milliseconds since 1970. */
  wallTime(): number
  /** Rejects with `signal.reason` when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `tick` once after `ms`; does not keep the process alive. Returns the way to cancel. */
  later(ms: number, tick: () => void): () => void
}

/** Lets everything else happen that has waited meanwhile. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** When this process began: milliseconds since 1970. */
export const processBegin = (): number => performance.timeOrigin

/** Milliseconds since 1970 as the wall clock stood when the process began, and monotonic since. */
export const steadyWallTime = (): number => performance.timeOrigin + performance.now()

/** Monotonic nanoseconds on a clock that all threads of a process, and all processes of a host, share. */
const monotonicNs = (): bigint => process.hrtime.bigint()

export const realClock: Clock = {
  // Not performance.now(): its module takes a millisecond to load, which is much for a command that hits.
  now: () => Number(monotonicNs()) / 1e6,
  nowNs: monotonicNs,
  wallTime: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, signal ? { signal } : {})
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
  later(ms, tick) {
    const timer = setTimeout(tick, ms).unref()
    return () => clearTimeout(timer)
  },
}
