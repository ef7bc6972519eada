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

function startCommand(cache: string, args: string[], env: NodeJS.ProcessEnv = {}): Running {
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

export interface Place {
  cache: string
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv
  onStderr?: () => void
}

export function runCommand(place: string | Place, ...args: string[]): Promise<Ended> {
  const { cache, env, onStderr }: Place = typeof place === 'string' ? { cache: place } : place
  const { process: child, ended } = startCommand(cache, args, env)
  if (onStderr) child.stderr?.on('data', onStderr)
  return ended
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
