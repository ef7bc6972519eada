/** A command run in the foreground, as if it had been started instead of us. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { isErrno } from './disk-errors.js'

export interface ChildOptions {
  env?: Record<string, string> | undefined
  /** `stderr`: what the command prints on stdout goes to our stderr. */
  stdout?: 'inherit' | 'stderr' | undefined
  /** A descriptor that the command keeps open as its fd 3. */
  keepOpen?: number | null | undefined
}

const FORWARDED: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']

/** sh(1): exit status when a command cannot be executed, is not found, or was ended by signal N. */
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127
const SIGNAL_BASE = 128

/** Runs `command`; resolves to its exit code, or what a shell would report. */
export async function runChild(command: string[], options: ChildOptions = {}): Promise<number> {
  const [program = '', ...args] = command
  const stdout = options.stdout === 'stderr' ? 2 : 'inherit'
  const child = spawn(program, args, {
    env: { ...process.env, ...options.env },
    stdio: [
      'inherit',
      stdout,
      'inherit',
      ...(typeof options.keepOpen === 'number' ? [options.keepOpen] : []),
    ],
  })
  const forward = (signal: NodeJS.Signals): void => {
    // Ctrl-C goes to everybody on the terminal: the command has it already.
    if (signal === 'SIGINT' && (process.stdin.isTTY || process.stderr.isTTY)) return
    child.kill(signal)
  }
  for (const signal of FORWARDED) process.on(signal, forward)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (error) => {
        if (isErrno(error, 'ENOENT')) resolve(NOT_FOUND)
        else if (isErrno(error, 'EACCES')) resolve(NOT_EXECUTABLE)
        else reject(error)
      })
      child.once('exit', (code, signal) => resolve(code ?? SIGNAL_BASE + constants.signals[signal!]))
    })
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward)
  }
}
