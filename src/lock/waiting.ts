/**
 * One wait: its abort and its time-out in one signal, and its announcements. Waiting that says nothing looks
 * like a hang, and watchdogs kill what hangs (FACTS §1).
 */
import { LatchError } from '../core/errors.js'
import { type Verdict, type Owner, describeOwner, judge } from '../core/owner.js'
import type { Host } from '../host/host.js'
import { type AcquireOptions, DEFAULT_TIMEOUT_MS, type Wait } from './locker.js'
import type { WaitingRecords } from './waiting-records.js'

const FIRST_ANNOUNCEMENT_MS = 1_000
const NEXT_ANNOUNCEMENT_MS = 10_000
/** The longest time that setTimeout takes; what is longer (Infinity) is unbounded in practice: 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export class Waiting {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #started: number
  readonly #timeoutMs: number
  readonly #cancels = new Set<() => void>()
  #endRecord: (() => Promise<void>) | undefined
  #stopped = false

  constructor(
    readonly host: Host,
    readonly path: string,
    readonly options: AcquireOptions,
    readonly readOwner: () => Promise<Owner | null>,
    /** `null`: nobody else could see this wait, or would look for it. */
    records: WaitingRecords | null,
  ) {
    this.signal = this.#controller.signal
    this.#started = host.clock.now()
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    this.#followCaller()
    if (this.#timeoutMs < LONGEST_TIMER_MS) this.#startTimer(this.#timeoutMs, () => void this.#expire())
    if (options.onWait) this.#announceAfter(FIRST_ANNOUNCEMENT_MS)
    if (options.onBlocked && this.#timeoutMs > 0) void this.#announce(options.onBlocked)
    if (records) this.#startTimer(FIRST_ANNOUNCEMENT_MS, () => this.#record(records))
  }

  /** Resolves once nothing is left of it on the disk; without a promise where nothing was. */
  stop(): Promise<void> | undefined {
    this.#stopped = true
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
    return this.#endRecord?.()
  }

  #record(records: WaitingRecords): void {
    const { clock } = this.host
    const since = Math.round(clock.wallTime() - (clock.now() - this.#started))
    this.#endRecord = records.tell(this.path, since, {
      timeoutMs: this.#timeoutMs,
      label: this.options.label,
    })
  }

  #followCaller(): void {
    const caller = this.options.signal
    if (caller === undefined) return
    const abort = (): void => this.#controller.abort(caller.reason)
    if (caller.aborted) return abort()
    caller.addEventListener('abort', abort, { once: true })
    this.#cancels.add(() => caller.removeEventListener('abort', abort))
  }

  #startTimer(ms: number, tick: () => void): void {
    const cancel = this.host.clock.later(ms, () => {
      this.#cancels.delete(cancel)
      tick()
    })
    this.#cancels.add(cancel)
  }

  async #expire(): Promise<void> {
    this.#controller.abort(timedOut(await this.describe()))
  }

  #announceAfter(ms: number): void {
    this.#startTimer(ms, () => {
      void this.#announce((wait) => {
        this.#announceAfter(NEXT_ANNOUNCEMENT_MS)
        this.options.onWait?.(wait)
      })
    })
  }

  async #announce(tell: (wait: Wait) => void): Promise<void> {
    const wait = await this.describe()
    if (!this.#stopped && !this.signal.aborted) tell(wait)
  }

  async describe(): Promise<Wait> {
    const owner: Owner | null = await this.readOwner()
    const verdict: Verdict = owner === null ? 'unknown' : judge(owner, this.host.processes)
    const waitedMs = Math.round(this.host.clock.now() - this.#started)
    return { path: this.path, owner, verdict, waitedMs, timeoutMs: this.#timeoutMs }
  }
}

/** The error of a wait that was not worth waiting for any longer. */
export function timedOut({ path, owner, verdict, waitedMs }: Wait): LatchError {
  const seen = verdict === 'dead' ? ', which is dead: somebody else holds it now' : ''
  return new LatchError(
    'WAIT_TIMEOUT',
    `Gave up after ${waitedMs} ms waiting for ${describeOwner(owner)}${seen}: ${path}`,
    {
      hint: 'Wait longer (`timeoutMs`; on the command line --wait), or look at what the holder is doing.',
      path,
    },
  )
}
