/**
 * Decides that a holder is dead by watching its heartbeat not move, on the observer's own monotonic clock: clocks
 * of two machines are never compared, so a clock that is wrong or jumps does no harm.
 *
 * The time is read after the first look and before the last one. So an observer that is stopped between looking
 * and reading the time thinks that less time has passed than has, never more.
 */
import type { Clock } from '../host/clock.js'
import type { HeldDirectory } from './held-directory.js'

export class Observer {
  #seen: { token: string | null; beat: number | null; since: number } | undefined

  constructor(
    readonly clock: Clock,
    readonly held: HeldDirectory,
    /** How long a heartbeat must not move. */
    readonly patienceMs: number,
  ) {}

  /** Looks once. `stale`: nothing has moved for the patience time; also when nobody holds the lock. */
  async look(): Promise<{ token: string | null; stale: boolean }> {
    const before = this.clock.now()
    const token = await this.held.holder()
    const beat = token === null ? null : await this.held.heartbeat(token)
    const seen = this.#seen
    if (seen === undefined || seen.token !== token || seen.beat !== beat) {
      this.#seen = { token, beat, since: this.clock.now() }
      return { token, stale: false }
    }
    return { token, stale: before - seen.since > this.patienceMs }
  }
}
