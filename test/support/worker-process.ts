/** Real processes that do what they are told over IPC; test/processes/workers/obey.ts is their side. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'

const WORKERS = join(import.meta.dirname, '../processes/workers')

interface Answer {
  id: number
  value?: unknown
  error?: { name: string; message: string; code?: string }
}

export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  readonly #notes = new Set<string>()
  #nextId = 0
  /** The signal that ended it, or its exit status. */
  readonly ended: Promise<NodeJS.Signals | number | null>

  /** @param launcher a command that runs the command after it, e.g. `unshare -fp` */
  constructor(script: string, args: string[], env: NodeJS.ProcessEnv, launcher: string[] = []) {
    const [execPath = process.execPath, ...before] = launcher
    this.#child = fork(join(WORKERS, `${script}.js`), args, {
      env: { ...process.env, ...env },
      serialization: 'advanced',
      execPath,
      execArgv: launcher.length > 0 ? [...before, process.execPath] : [],
    })
    this.#child.on('message', (message: Answer | { note: string }) => {
      if ('note' in message) this.#notes.add(message.note)
      else this.#settle(message)
    })
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        for (const { reject } of this.#pending.values())
          reject(new Error(`The worker ended (${signal ?? code})`))
        this.#pending.clear()
        resolve(signal ?? code)
      })
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Runs a command of the worker's. Rejects when the command does, or when the worker ends before it. */
  ask<T = unknown>(command: string, ...args: unknown[]): Promise<T> {
    const id = this.#nextId++
    const answer = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { resolve, reject }))
    // Who asks and then kills the worker does not look at the answer.
    answer.catch(() => undefined)
    this.#child.send({ id, command, args })
    return answer as Promise<T>
  }

  /** Whether the worker has said so, with `note()`. */
  noted(note: string): boolean {
    return this.#notes.has(note)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  #settle({ id, value, error }: Answer): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (error) pending?.reject(Object.assign(new Error(error.message), error))
    else pending?.resolve(value)
  }
}
