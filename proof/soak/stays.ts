/**
 * Who is, and was, inside which lock. A worker says that it is in before it does anything there, and that it is out
 * before it releases, and goes on when that was heard.
 *
 * What must not be:
 * - Under the kernel's lock, two living processes inside. One that was killed may not have said that it is out.
 * - Under a network lock, a holder that was sure of being alone when another came in. Whoever was stopped for longer
 *   than the stale time is succeeded, and knows it.
 * - Under the kernel's lock, a count that was written inside and did not grow: somebody's write was lost.
 */
import type { Testimony } from './testimony.js'

interface Worker {
  pid: number
  /** When it started, as the kernel says: with the pid, who it is. */
  start: string
}

interface Stay {
  worker: Worker
  from: number
  /** The lock said so when it came in. A holder that was stopped before it could may have been succeeded already. */
  wasSure: boolean
  /** Until when it was sure of being alone; `null`: it has not said that it is out. */
  sureUntil: number | null
  isOver: boolean
}

type In = Extract<Testimony, { tell: 'in' }>
type Out = Extract<Testimony, { tell: 'out' }>

/** So many of the last stays in a lock are remembered: more than there are workers that could be stopped in one. */
const REMEMBERED = 200

export class Stays {
  readonly #byLock = new Map<string, Stay[]>()
  readonly #counts = new Map<string, number>()
  count = 0

  constructor(
    private readonly complain: (what: string) => void,
    private readonly startOf: (pid: number) => string | null,
  ) {}

  in(worker: Worker, { lock, from, wasSure, mustBeAlone }: In): void {
    this.count++
    const others = this.#byLock.get(lock) ?? []
    const own: Stay = { worker, from, wasSure, sureUntil: null, isOver: false }
    for (const other of others) {
      if (mustBeAlone && !other.isOver && this.startOf(other.worker.pid) === other.worker.start)
        this.complain(`${other.worker.pid} is inside, and so is ${worker.pid}: ${lock}`)
      // Told late: the other has left meanwhile.
      this.#compare(lock, other, own)
    }
    this.#byLock.set(lock, [...others.slice(-REMEMBERED), own])
  }

  out(worker: Worker, { lock, to, wasSure, count }: Out): void {
    const stays = this.#byLock.get(lock) ?? []
    const own = stays.findLast((stay) => stay.worker === worker && !stay.isOver)
    if (own === undefined) return this.complain(`${worker.pid} is out, and was not in: ${lock}`)
    own.isOver = true
    own.sureUntil = wasSure ? to : null
    for (const other of stays) this.#compare(lock, own, other)
    if (count !== null) this.#grow(lock, count)
  }

  /** It may have died before it could say that it is out. */
  gone(worker: Worker): void {
    for (const stays of this.#byLock.values())
      for (const stay of stays) if (stay.worker === worker) stay.isOver = true
  }

  #compare(lock: string, alone: Stay, other: Stay): void {
    const { from, sureUntil } = alone
    if (sureUntil === null || !other.wasSure || other.from <= from || other.from >= sureUntil) return
    this.complain(`${alone.worker.pid} was sure of being alone when ${other.worker.pid} came in: ${lock}`)
  }

  #grow(lock: string, count: number): void {
    const before = this.#counts.get(lock) ?? 0
    if (count <= before) this.complain(`${lock} counts ${count} after ${before}`)
    this.#counts.set(lock, count)
  }
}
