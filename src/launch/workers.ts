/** Workers started in slots of their own, and waited for. */
import { type ChildEnd, type ChildOptions, runToEnd } from '../host/child.js'
import { EndedBySignal, Signals } from '../host/signals.js'
import { WORKER_VARIABLE } from '../host/settings.js'
import { type PreparedWorker, type WorkerOptions, prepareWorker } from './worker.js'
import { emitWorkerEvent } from './worker-events.js'

export interface LaunchOptions extends WorkerOptions {
  /** The program and its arguments; nothing is read by a shell. */
  command: readonly string[]
  /** How many. Each is started as soon as its slot is seeded. */
  count: number
}

export interface EndedWorker {
  /** From 0; the worker has it in CACHELATCH_WORKER. */
  name: string
  /** `null`: it had a private directory, or none. */
  slot: number | null
  /** As a shell reports it: 128 + N when signal N ended it, 127 when there is no such program. */
  exitCode: number
}

type Run = (command: string[], options: ChildOptions) => Promise<ChildEnd>

/**
 * Starts `count` workers, with this process's stdin, stdout and stderr; resolves when all have ended, however they did.
 * `signal` ends the waiting, and the workers by SIGTERM.
 * @throws LatchError ONCE_REFUSED, PRESET_INVALID, before any has been started
 */
export async function launchWorkers({ signal, ...options }: LaunchOptions): Promise<EndedWorker[]> {
  const signals = new Signals()
  const end = (): void => signals.end('SIGTERM')
  if (signal?.aborted) end()
  signal?.addEventListener('abort', end, { once: true })
  try {
    return await runWorkers(options, signals)
  } finally {
    signal?.removeEventListener('abort', end)
  }
}

/** As `launchWorkers`. @param run starts a command and waits for its end */
export function runWorkers(
  { command, count, ...options }: Omit<LaunchOptions, 'signal'>,
  signals: Signals,
  run: Run = runToEnd,
): Promise<EndedWorker[]> {
  if (!Number.isInteger(count) || count < 1)
    throw new TypeError(`count is a whole number from 1, not ${count}.`)
  const names = Array.from({ length: count }, (_, index) => String(index))
  return Promise.all(names.map((name) => runWorker({ ...options, name }, [...command], signals, run)))
}

async function runWorker(
  options: WorkerOptions & { name: string },
  command: string[],
  signals: Signals,
  run: Run,
): Promise<EndedWorker> {
  const { name } = options
  let worker: PreparedWorker
  try {
    worker = await prepareWorker({ ...options, signal: signals.signal })
  } catch (error) {
    if (error instanceof EndedBySignal) return { name, slot: null, exitCode: error.exitCode }
    throw error
  }
  let exitCode = 1
  try {
    exitCode = await runIn(worker, options, command, signals, run)
  } finally {
    await worker.ended(exitCode)
  }
  return { name, slot: worker.slot, exitCode }
}

async function runIn(
  { env, keepOpen, started }: PreparedWorker,
  { name, onEvent }: WorkerOptions & { name: string },
  command: string[],
  signals: Signals,
  run: Run,
): Promise<number> {
  // The others had it while this one was still being prepared.
  if (signals.askedToEnd) return signals.askedToEnd.exitCode
  const onStart = (pid: number): void => {
    started(pid)
    emitWorkerEvent({ type: 'worker-started', worker: name, pid }, onEvent)
  }
  try {
    const named = { [WORKER_VARIABLE]: name, ...env }
    return (await run(command, { env: named, keepOpen, signals, onStart })).exitCode
  } catch (error) {
    if (error instanceof EndedBySignal) return error.exitCode
    throw error
  }
}
