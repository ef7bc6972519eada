/** A held lock: who holds it is recorded once that may interest somebody, and whether it still is held is watched. */
import type { Owner } from '../core/owner.js'
import type { Disk } from '../host/disk.js'
import type { Host } from '../host/host.js'
import type { Lease } from './locker.js'
import type { Held } from './mechanism.js'
import { readOwner, removeOwner, writeOwner } from './owner-record.js'

/**
 * An owner record costs 100 µs and more, a lock 5: so short holds leave none, contended or not. Whoever takes a lock
 * after 31 others had it for a millisecond each would wait twice as long for their records as for them. Nobody asks who
 * holds a lock before having waited a second for it.
 */
const RECORD_AFTER_MS = 25
const CHECK_EVERY_MS = 1_000

export interface Terms {
  /** Whether another holder had to be waited for. */
  waited: boolean
  shared: boolean
  /** Whether it is to be told to others who holds the lock, and what for. */
  keepsRecord: boolean
  label: string | null
}

export class HeldLease implements Lease {
  readonly takenAt: number
  #recorded: Promise<void> | undefined
  #released: Promise<void> | undefined
  #controller: AbortController | undefined
  #lost: Error | undefined

  constructor(
    private readonly watch: LeaseWatch,
    readonly path: string,
    private readonly held: Held,
    private readonly terms: Terms,
    private readonly whenReleased: () => void,
  ) {
    this.takenAt = watch.host.clock.now()
    held.onLost((reason) => this.lose(reason))
    watch.add(this)
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    // The news may be waiting for an event loop that has not turned since.
    if (!this.held.isSure()) this.lose(new Error(`The lock may have been lost: ${this.path}`))
    if (this.#lost) this.#controller.abort(this.#lost)
    return this.#controller.signal
  }

  get waited(): boolean {
    return this.terms.waited
  }

  get isRecorded(): boolean {
    return this.#recorded !== undefined || !this.terms.keepsRecord
  }

  handOn(): number | null {
    return this.held.handOn()
  }

  record(): void {
    if (this.isRecorded) return
    this.#recorded = this.#write()
  }

  #write(): Promise<void> {
    const { label } = this.terms
    const { disk, host } = this.watch
    return writeOwner(disk, this.path, { owner: this.#asOwner(), label }, host.processes.token())
  }

  #asOwner(): Owner {
    const { clock, processes } = this.watch.host
    const since = Math.round(clock.wallTime() - (clock.now() - this.takenAt))
    return processes.asOwner(since)
  }

  async check(): Promise<void> {
    try {
      if (!(await this.held.check()))
        this.lose(new Error(`The lock was taken away from its holder: ${this.path}`))
      else if (this.terms.shared) this.#stayOnRecord()
    } catch (cause) {
      this.lose(new Error(`Whether the lock is still held cannot be seen: ${this.path}`, { cause }))
    }
  }

  lose(reason: Error): void {
    if (this.#released) return
    this.#lost ??= reason
    this.#controller?.abort(this.#lost)
  }

  release(): Promise<void> {
    return (this.#released ??= this.#letGo())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  async #letGo(): Promise<void> {
    this.watch.delete(this)
    try {
      if (this.#recorded) await this.#eraseRecord(this.#recorded)
      const letting = this.held.release()
      if (letting instanceof Promise) await letting
    } finally {
      this.whenReleased()
    }
  }

  /** Before the lock is let go, so that it is never the successor's record that is removed. */
  async #eraseRecord(recorded: Promise<void>): Promise<void> {
    await recorded
    if (this.#lost !== undefined || (this.terms.shared && !(await this.#isOnRecord()))) return
    await removeOwner(this.watch.disk, this.path)
  }

  /** Of several who share, the last one to write is on record; when that one lets go, another. */
  #stayOnRecord(): void {
    if (this.#recorded === undefined || this.#released) return
    this.#recorded = this.#writeIfMissing(this.#recorded)
  }

  async #writeIfMissing(before: Promise<void>): Promise<void> {
    await before
    const { disk } = this.watch
    if ((await readOwner(disk, this.path)) === null) await this.#write()
  }

  async #isOnRecord(): Promise<boolean> {
    const owner = (await readOwner(this.watch.disk, this.path))?.owner
    const { pid, startTime, bootId } = this.#asOwner()
    return owner?.pid === pid && owner.startTime === startTime && owner.bootId === bootId
  }
}

/** One timer for all leases of a locker: most are released before it ticks. */
export class LeaseWatch {
  readonly #leases = new Set<HeldLease>()
  #next: { cancel: () => void; soon: boolean } | undefined

  constructor(
    readonly host: Host,
    readonly disk: Disk,
  ) {}

  add(lease: HeldLease): void {
    this.#leases.add(lease)
    if (this.#next?.soon) return
    this.#next?.cancel()
    this.#schedule(true)
  }

  delete(lease: HeldLease): void {
    this.#leases.delete(lease)
  }

  #schedule(soon: boolean): void {
    const cancel = this.host.clock.later(soon ? RECORD_AFTER_MS : CHECK_EVERY_MS, () => this.#tick())
    this.#next = { cancel, soon }
  }

  #tick(): void {
    this.#next = undefined
    if (this.#leases.size === 0) return
    const now = this.host.clock.now()
    let soon = false
    for (const lease of this.#leases) {
      if (now - lease.takenAt >= RECORD_AFTER_MS) lease.record()
      soon ||= !lease.isRecorded
      void lease.check()
    }
    this.#schedule(soon)
  }
}
