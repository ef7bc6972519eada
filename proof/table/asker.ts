/** A process that asks for the model, as the scene sees it: what it has said so far, and when. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Step } from './artefact.js'
import { WAYS, type WayName } from './ways.js'

export interface Asking {
  way: WayName
  place: string
  name: string
  /** For what it needs besides the place: gates, the sign to go on. */
  directory: string
  bytesEach: number
  standAt?: Step | undefined
  /** Runs the command behind it: another host, a container. */
  launcher?: string[]
  env?: NodeJS.ProcessEnv
}

interface Said {
  line: string
  atMs: number
}

/** Longer than any way's stale time, several times: who has got nothing by then is stuck. */
export const GIVE_UP_AFTER_MS = 30_000
const POLL_MS = 5

export class Asker {
  readonly #child: ChildProcess
  readonly #go: string
  readonly said: Said[] = []
  hasEnded = false

  constructor({ way, place, name, directory, bytesEach, standAt, launcher = [], env = {} }: Asking) {
    this.#go = `${directory}/go-${name}`
    const [command, ...args] = [...launcher, ...WAYS[way].command, place]
    this.#child = spawn(command, args, {
      env: {
        ...process.env,
        CACHELATCH_GATE_DIR: directory,
        NAME: name,
        BYTES_EACH: String(bytesEach),
        GO: this.#go,
        STAND_AT: standAt ?? '',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let rest = ''
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) this.said.push({ line, atMs: performance.now() })
    })
    this.#child.once('close', () => (this.hasEnded = true))
  }

  has(start: string): boolean {
    return this.said.some(({ line }) => line.startsWith(start))
  }

  /** When it said so first. */
  when(start: string): number | null {
    return this.said.find(({ line }) => line.startsWith(start))?.atMs ?? null
  }

  /** What it ended with: `whole`, `torn`, `failed CODE`; `crashed` without a word; `null` while it lives. */
  get answer(): string | null {
    const last = this.said.at(-1)?.line ?? ''
    if (last.startsWith('got ')) return last.slice(4)
    if (last.startsWith('failed ')) return last
    return this.hasEnded ? 'crashed' : null
  }

  /** Until it stands, waits, or has come to its end; `false`: not within the limit. */
  async until(what: (asker: Asker) => boolean, limitMs = GIVE_UP_AFTER_MS): Promise<boolean> {
    const end = performance.now() + limitMs
    while (!what(this)) {
      if (performance.now() > end) return false
      await sleep(POLL_MS)
    }
    return true
  }

  goOn(): void {
    if (!existsSync(this.#go)) writeFileSync(this.#go, '')
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.until(({ hasEnded }) => hasEnded)
  }
}
