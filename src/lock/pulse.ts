/**
 * What a holder knows of its heart without asking anybody: when the last beat began that has reached the disk. The
 * heartbeat thread writes it and the holder reads it in shared memory, so a holder whose event loop has not turned
 * since it took the lock can still tell whether it may have lost it.
 *
 * Why a holder that is sure at t has been alone from its take until t (S: stale time, P: others' patience, P > S):
 *   An observer breaks a lock only when it saw the same beat i at s and at v, v - s > P (observer.ts). A beat cannot
 *   be seen before it begins, so v > begin(i) + P. By then beat i + 1 has not reached the disk:
 *     if it ever ended, it ended after v > begin(i) + P > begin(i) + S, and `beat` has called it too late, for good;
 *     if not, i is the last beat, and sure(t) says t <= begin(i) + S < v: the lock was not broken before t.
 *   The take is beat 0, and begins before the rename.
 * What remains: between being sure and acting on it a process may be stopped; and Linux stops this clock while the
 * whole machine is suspended, which is noticed by the next look at the disk.
 */
const LOST = 0n

export class Pulse {
  readonly #begin: BigInt64Array
  readonly #staleNs: bigint

  /** @param memory shared by the two threads; 8 bytes */
  constructor(
    readonly memory: SharedArrayBuffer,
    staleMs: number,
    /** Monotonic, and the same in both threads. */
    private readonly now: () => bigint,
  ) {
    this.#begin = new BigInt64Array(memory)
    this.#staleNs = BigInt(Math.round(staleMs * 1e6))
  }

  static readonly BYTES = 8

  /** Before the lock is taken: what comes after counts from here. */
  start(): void {
    Atomics.store(this.#begin, 0, this.now())
  }

  /** A beat that began at `beganNs` has reached the disk; `false`: too late, somebody may have been faster. */
  beat(beganNs: bigint): boolean {
    const before = Atomics.load(this.#begin, 0)
    if (!this.isSure()) return false
    // The other thread may have found it lost in this very moment: that stays.
    return Atomics.compareExchange(this.#begin, 0, before, beganNs) === before
  }

  /** Whether nobody can have taken the lock over until now. Once it is `false`, it remains so. */
  isSure(): boolean {
    const began = Atomics.load(this.#begin, 0)
    if (began !== LOST && this.now() - began <= this.#staleNs) return true
    this.lose()
    return false
  }

  lose(): void {
    Atomics.store(this.#begin, 0, LOST)
  }
}
