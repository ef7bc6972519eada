/**
 * A process of ours that does what it is asked, one thing at a time. A call that hangs, hangs there: whoever asked
 * hears of it after a time limit, and goes on without that process.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { errnoOf, messageOf } from './disk-errors.js'

export type Commands = Record<string, (...args: never[]) => unknown>

interface Answer {
  value?: unknown
  error?: { message: string; code: string | undefined }
}

/** The time limit has passed, and the process was killed. */
export class ProberHung extends Error {
  constructor(command: string, limitMs: number) {
    super(`${command} did not come back within ${limitMs / 1000} s`)
  }
}

/** How long to wait for a killed process: one inside a call that cannot be interrupted ends when that call does. */
const MAX_DYING_MS = 2_000

export class Prober<C extends Commands> {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #settle: ((answer: Answer) => void) | undefined
  #isAlive = true

  constructor(
    file: URL,
    private readonly limitMs: number,
  ) {
    // cwd: the current directory may be on the very file system that hangs.
    this.#child = fork(fileURLToPath(file), [], { cwd: '/', execArgv: [] })
    this.#child.on('message', (answer: Answer) => this.#settle?.(answer))
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', resolve)
      this.#child.once('exit', resolve)
    })
    void this.#ended.then(() => this.#end('The probing process ended.'))
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  /** @throws ProberHung; what the command throws, with its `code` */
  async ask<N extends keyof C & string>(
    command: N,
    ...args: Parameters<C[N]>
  ): Promise<Awaited<ReturnType<C[N]>>> {
    if (!this.#isAlive) throw new Error('The probing process has ended.')
    let timer: NodeJS.Timeout | undefined
    const hung = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new ProberHung(command, this.limitMs)), this.limitMs)
    })
    const answered = new Promise<Answer>((resolve) => (this.#settle = resolve))
    this.#child.send({ command, args })
    try {
      const { value, error } = await Promise.race([answered, hung])
      if (error)
        throw Object.assign(new Error(error.message), error.code !== undefined && { code: error.code })
      return value as Awaited<ReturnType<C[N]>>
    } catch (error) {
      if (error instanceof ProberHung) await this.kill()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** By SIGKILL: nothing is tidied up. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone()
  }

  /** Lets it tidy up and go. */
  async dismiss(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.#gone()
    if (this.#isAlive) await this.kill()
  }

  async #gone(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise((resolve) => (timer = setTimeout(resolve, MAX_DYING_MS)))
    await Promise.race([this.#ended, enough])
    clearTimeout(timer)
    this.#child.unref()
  }

  #end(message: string): void {
    this.#isAlive = false
    this.#settle?.({ error: { message, code: undefined } })
  }
}

/**
 * The other side. When the one who asks is gone, also by SIGKILL, `tidyUp` is called and the process ends; signals
 * that go to both of them are left to that.
 */
export function serveProber(commands: Commands, tidyUp: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  process.on('disconnect', () => void tidyUp().finally(() => process.exit()))
  process.on('message', ({ command, args }: { command: string; args: never[] }) => {
    void answer(commands[command]!, args).then((reply) => process.send?.(reply))
  })
}

async function answer(command: (...args: never[]) => unknown, args: never[]): Promise<Answer> {
  try {
    return { value: await command(...args) }
  } catch (error) {
    return { error: { message: messageOf(error), code: errnoOf(error) } }
  }
}
