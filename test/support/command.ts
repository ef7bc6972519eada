/** The command, as built, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach } from 'vitest'

export const COMMAND = join(import.meta.dirname, '../../src/cli/main.js')

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface Running {
  pid: number
  process: ChildProcess
  ended: Promise<Ended>
  /** What it has printed so far. */
  said: Ended
  hasEnded(): boolean
}

export function startCommand(cache: string, args: string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { ...process.env, CACHELATCH_DIR: cache, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: Ended = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (said.stdout += String(text)))
  child.stderr.on('data', (text: Buffer) => (said.stderr += String(text)))
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ ...said, code }))
  })
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  return { pid: child.pid!, process: child, ended, said, hasEnded }
}

export function runCommand(cache: string, ...args: string[]): Promise<Ended> {
  return startCommand(cache, args).ended
}

/** As `startCommand`; what still runs after a test is killed. */
export function useCommands(): typeof startCommand {
  const started = new Set<Running>()
  afterEach(() => {
    for (const { process } of started) process.kill('SIGKILL')
    started.clear()
  })
  return (...args) => {
    const running = startCommand(...args)
    started.add(running)
    return running
  }
}
