/**
 * flock(1) on an inherited descriptor: the lock belongs to the open file description, so it is ours as soon as
 * the helper has it, stays with us when the helper exits, and is gone when we close. util-linux and BusyBox have
 * the command, macOS has not.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { LatchError } from '../core/errors.js'
import { dyingWithUs } from './death-signal.js'
import { isErrno } from './disk-errors.js'
import type { LockMode } from './native.js'

export type FlockResult = 'locked' | 'busy' | 'no-command'

export interface FlockCommand {
  isThere(): Promise<boolean>
  /** One try. */
  once(fd: number, mode: LockMode): Promise<FlockResult>
  /** Waits in the kernel; rejects with `signal.reason` once nobody waits for it any more. */
  waiting(fd: number, mode: LockMode, signal: AbortSignal): Promise<FlockResult>
}

/** Not installed, or no more processes or memory to be had just now. */
const CANNOT_START = ['ENOENT', 'EACCES', 'EAGAIN', 'ENOMEM']

/** flock(1): exit status of `-n` when another holds the lock. */
const CONFLICT = 1

const OPTION: Record<LockMode, string> = { exclusive: '-x', shared: '-s' }

function flockOnce(fd: number, mode: LockMode): Promise<FlockResult> {
  return runFlock(['flock'], [OPTION[mode], '-n'], fd)
}

/**
 * Waits in the kernel: no CPU, woken at once. Rejects with `signal.reason` once the helper is gone. The helper of a
 * waiter that is killed dies with it; where it cannot, it stays until it gets the lock and then lets go at once.
 */
async function flockWaiting(fd: number, mode: LockMode, signal: AbortSignal): Promise<FlockResult> {
  return runFlock([...(await dyingWithUs('KILL')), 'flock'], [OPTION[mode]], fd, signal)
}

async function runFlock(
  command: string[],
  options: string[],
  fd: number,
  signal?: AbortSignal,
): Promise<FlockResult> {
  for (;;) {
    signal?.throwIfAborted()
    const status = await exitOf(command, [...options, '3'], fd, signal)
    signal?.throwIfAborted()
    if (status === 0) return 'locked'
    if (status === CONFLICT) return 'busy'
    if (status === 'no-command') return status
    if (status === 'killed') continue // Ctrl-C reaches the whole process group; we are still here.
    throw new LatchError('LOCK_UNAVAILABLE', `flock(1) failed with status ${status}.`, {
      hint: 'The file system may not support locks: run with the `lockfile` locker.',
    })
  }
}

type Exit = number | 'killed' | 'no-command'

function exitOf(command: string[], args: string[], fd: number, signal?: AbortSignal): Promise<Exit> {
  return new Promise((resolve, reject) => {
    const [program = 'flock', ...first] = command
    // cwd: the current directory may have been deleted, and spawn fails then.
    const helper: ChildProcess = spawn(program, [...first, ...args], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'ignore', fd],
    })
    const kill = (): void => void helper.kill('SIGKILL')
    signal?.addEventListener('abort', kill, { once: true })
    const settle = (finish: () => void): void => {
      signal?.removeEventListener('abort', kill)
      finish()
    }
    helper.once('error', (error) =>
      settle(() => (isErrno(error, ...CANNOT_START) ? resolve('no-command') : reject(error))),
    )
    helper.once('exit', (code) => settle(() => resolve(code ?? 'killed')))
  })
}

let available: Promise<boolean> | undefined

export function hasFlockCommand(): Promise<boolean> {
  return (available ??= new Promise((resolve) => {
    // BusyBox knows no --version: its usage message, and status 1, prove it as well.
    const test = spawn('flock', ['--version'], { cwd: '/', stdio: 'ignore' })
    test.once('error', () => resolve(false))
    test.once('exit', () => resolve(true))
  }))
}

export const realFlockCommand: FlockCommand = {
  isThere: hasFlockCommand,
  once: flockOnce,
  waiting: flockWaiting,
}
