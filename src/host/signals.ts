/**
 * The signals that people, shells and supervisors send to a job, and who answers them: the command, while one runs;
 * else whoever waits, by an AbortSignal, so that nothing is left behind.
 *
 * What is typed on the terminal (Ctrl-C, Ctrl-\) goes to the whole foreground process group: the command has it
 * already. Ctrl-Z and `fg` stop and continue that group, and nobody needs to do anything.
 */
import { constants } from 'node:os'
import { isInForeground } from './foreground.js'

/** Of these, the first that comes while there is no command ends us, and the second does so in the kernel's way. */
const ENDING = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const
const OTHERS = ['SIGUSR1', 'SIGUSR2'] as const
const TYPED: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT'])

/** Whether a signal asks a job to end, rather than saying that it crashed. */
export function asksToEnd(signal: NodeJS.Signals): boolean {
  return (ENDING as readonly NodeJS.Signals[]).includes(signal)
}

/** sh(1): the exit status of a command that was ended by a signal. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

/** A person, or whoever is in charge of this job, has asked it to end. */
export class EndedBySignal extends Error {
  readonly exitCode: number

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`)
    this.exitCode = exitCodeOfSignal(signal)
  }
}

type Receiver = (signal: NodeJS.Signals) => void

export class Signals {
  readonly #abort = new AbortController()
  readonly #receivers = new Set<Receiver>()
  #listening = false
  #askedToEnd: EndedBySignal | null = null

  /** Aborts with EndedBySignal. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Set once the command, or we, were asked to end. */
  get askedToEnd(): EndedBySignal | null {
    return this.#askedToEnd
  }

  /** Passes signals on to `receiver` until `work` is done. */
  async passOn<T>(receiver: Receiver, work: () => Promise<T>): Promise<T> {
    if (this.#listening && this.#receivers.size === 0)
      for (const signal of OTHERS) process.on(signal, this.#passToAll)
    this.#receivers.add(receiver)
    try {
      return await work()
    } finally {
      this.#receivers.delete(receiver)
      if (this.#receivers.size === 0) for (const signal of OTHERS) process.off(signal, this.#passToAll)
    }
  }

  /** As if `signal` had come from outside. */
  end(signal: NodeJS.Signals): void {
    this.#askedToEnd = new EndedBySignal(signal)
    if (this.#receivers.size === 0) this.#abort.abort(this.#askedToEnd)
    else this.#passToAll(signal)
  }

  start(): void {
    this.#listening = true
    for (const signal of ENDING) process.on(signal, this.#take)
  }

  stop(): void {
    for (const signal of ENDING) process.off(signal, this.#take)
  }

  readonly #passToAll = (signal: NodeJS.Signals): void => {
    for (const receiver of this.#receivers) receiver(signal)
  }

  readonly #take = (signal: NodeJS.Signals): void => {
    if (this.#receivers.size === 0) this.stop()
    else if (TYPED.has(signal) && isInForeground()) {
      this.#askedToEnd = new EndedBySignal(signal)
      return
    }
    this.end(signal)
  }
}

/** Takes the signals of this process for as long as `work` takes. */
export async function withSignals<T>(work: (signals: Signals) => Promise<T>): Promise<T> {
  const signals = new Signals()
  signals.start()
  try {
    return await work(signals)
  } finally {
    signals.stop()
  }
}
