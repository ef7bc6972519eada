/** Asks command-server.ts, and starts another where one does not come back. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hiddenSettings } from '../support/doctor.js'

const SERVER = join(import.meta.dirname, 'command-server.js')
/** Only ends what has failed already. */
const LIMIT_MS = 60_000

export interface Said {
  /** `null`: it hung, and was killed; or has ended by itself. */
  code: number | null
  stdout: string
  stderr: string
}

export class CommandClient {
  #server: ChildProcess | undefined
  readonly #outputs: { path: string; fd: number }[]

  /** @param directory for what is printed: into files, so that all of it is there when the answer is */
  constructor(directory: string) {
    const paths = ['stdout', 'stderr'].map((name) => join(directory, name))
    this.#outputs = paths.map((path) => ({ path, fd: openSync(path, 'a') }))
  }

  async run(args: string[]): Promise<Said> {
    const server = (this.#server ??= this.#start())
    for (const { fd } of this.#outputs) ftruncateSync(fd)
    server.send(args)
    const timer = setTimeout(() => server.kill('SIGKILL'), LIMIT_MS)
    const ended = new AbortController()
    const { signal } = ended
    const [code] = (await Promise.race([
      once(server, 'message', { signal }),
      once(server, 'exit', { signal }).then(() => {
        this.#server = undefined
        return [null]
      }),
    ])) as [number | null]
    clearTimeout(timer)
    ended.abort()
    const [stdout, stderr] = this.#outputs.map(({ path }) => readFileSync(path, 'utf8'))
    return { code, stdout: stdout!, stderr: stderr! }
  }

  end(): void {
    this.#server?.kill()
    for (const { fd } of this.#outputs) closeSync(fd)
  }

  #start(): ChildProcess {
    const [stdout, stderr] = this.#outputs
    const env = { ...process.env, ...hiddenSettings() }
    return fork(SERVER, { env, stdio: ['ignore', stdout!.fd, stderr!.fd, 'ipc'] })
  }
}
