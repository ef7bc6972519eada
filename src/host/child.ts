/** A command run in the foreground, as if it had been started instead of us. */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { isErrno } from './disk-errors.js'

export interface ChildOptions {
  env?: Record<string, string> | undefined
  /** `stderr`: what the command prints on stdout goes to our stderr. */
  stdout?: 'inherit' | 'stderr' | undefined
  /** A descriptor that the command keeps open as its fd 3. */
  keepOpen?: number | null | undefined
  onStart?: ((pid: number) => void) | undefined
}

const FORWARDED: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']

/** sh(1): exit status when a command cannot be executed, is not found, or was ended by signal N. */
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127
const SIGNAL_BASE = 128

/** Runs `command`; resolves to its exit code, or what a shell would report. */
export async function runChild(command: string[], options: ChildOptions = {}): Promise<number> {
  const [program = '', ...args] = command
  let child: ChildProcess | undefined
  const early: NodeJS.Signals[] = []
  const forward = (signal: NodeJS.Signals): void => {
    // Ctrl-C goes to everybody on the terminal: the command has it already.
    if (signal === 'SIGINT' && (process.stdin.isTTY || process.stderr.isTTY)) return
    if (child) child.kill(signal)
    else early.push(signal)
  }
  // Before the command is there: it may be running, and somebody waiting for it, while spawn has not returned.
  for (const signal of FORWARDED) process.on(signal, forward)
  try {
    child = start(program, args, options)
    for (const signal of early) child.kill(signal)
    if (child.pid !== undefined) options.onStart?.(child.pid)
    return await exitCodeOf(child)
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward)
  }
}

function start(program: string, args: string[], { env, stdout, keepOpen }: ChildOptions): ChildProcess {
  return spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: [
      'inherit',
      stdout === 'stderr' ? 2 : 'inherit',
      'inherit',
      ...(typeof keepOpen === 'number' ? [keepOpen] : []),
    ],
  })
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    child.once('error', (error) => {
      if (isErrno(error, 'ENOENT')) resolve(NOT_FOUND)
      else if (isErrno(error, 'EACCES')) resolve(NOT_EXECUTABLE)
      else reject(error)
    })
    child.once('exit', (code, signal) => resolve(code ?? SIGNAL_BASE + constants.signals[signal!]))
  })
}
