/** A command run in the foreground, as if it had been started instead of us. */
import { type ChildProcess, spawn } from 'node:child_process'
import { dyingWithUs } from './death-signal.js'
import { isErrno } from './disk-errors.js'
import { type Signals, exitCodeOfSignal, withSignals } from './signals.js'

export interface ChildOptions {
  env?: Record<string, string> | undefined
  /** `stderr`: what the command prints on stdout goes to our stderr. */
  stdout?: 'inherit' | 'stderr' | undefined
  /** A descriptor that the command keeps open as its fd 3. */
  keepOpen?: number | null | undefined
  /** Nobody would use what the command does without us: it gets SIGTERM when we are killed. */
  endsWithUs?: boolean | undefined
  /** Who takes our signals; without, they are taken while the command runs. */
  signals?: Signals | undefined
  onStart?: ((pid: number) => void) | undefined
}

export interface ChildEnd {
  /** As a shell reports it. */
  exitCode: number
  /** The signal that ended it. */
  signal: NodeJS.Signals | null
  /** Why it could not even be started, in words. */
  problem: string | null
}

/** sh(1): exit status when a command cannot be executed, or is not found. */
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127

/** Runs `command`; resolves to how it ended. */
export async function runToEnd(command: string[], options: ChildOptions = {}): Promise<ChildEnd> {
  if (options.signals === undefined)
    return withSignals((signals) => runToEnd(command, { ...options, signals }))
  const { signals } = options
  const [program = '', ...args] = options.endsWithUs ? [...(await dyingWithUs('TERM')), ...command] : command
  // Before the command is there: it may be running, and somebody waiting for it, while spawn has not returned.
  const early: NodeJS.Signals[] = []
  let child: ChildProcess | undefined
  const receive = (signal: NodeJS.Signals): void => {
    if (child) child.kill(signal)
    else early.push(signal)
  }
  return signals.passOn(receive, async () => {
    signals.signal.throwIfAborted()
    child = start(program, args, options)
    for (const signal of early) child.kill(signal)
    if (child.pid !== undefined) options.onStart?.(child.pid)
    return endOf(child)
  })
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

function endOf(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const neverRan = (exitCode: number, problem: string): void => resolve({ exitCode, signal: null, problem })
    child.once('error', (error) => {
      if (isErrno(error, 'ENOENT')) neverRan(NOT_FOUND, 'there is no such command')
      else if (isErrno(error, 'EACCES')) neverRan(NOT_EXECUTABLE, 'the command cannot be executed')
      else reject(error)
    })
    child.once('exit', (code, signal) =>
      resolve({ exitCode: code ?? exitCodeOfSignal(signal!), signal, problem: null }),
    )
  })
}
