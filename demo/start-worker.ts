/** One worker process as its supervisor sees it. */
import { fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { now } from './messages.js'
import type { Report } from './messages.js'
import { WAYS } from './ways.js'
import type { Way } from './ways.js'

/** One process. A worker that was killed has two: the second is its restart. */
export type Attempt = {
  worker: number
  attempt: number
  pid: number
  startedAt: number
  reports: Report[]
  killed: boolean
  endedAt: number
  exit: string
}

export type RunningWorker = {
  record: Attempt
  /** Resolves when the worker stands at the barrier, or is gone. */
  prepared: Promise<void>
  /** Resolves when the process is gone and its last report has been read. */
  ended: Promise<void>
  release: () => void
  kill: () => void
}

type WorkerPlan = { way: Way; root: string; worker: number; attempt: number; onReport: () => void }

export function startWorker({ way, root, worker, attempt, onReport }: WorkerPlan): RunningWorker {
  const directory = WAYS[way].directoryPerWorker ? join(root, `worker-${worker}`) : root
  mkdirSync(directory, { recursive: true })
  const program = fileURLToPath(new URL('worker.js', import.meta.url))
  const startedAt = now()
  const child = fork(program, [String(way), directory], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const record: Attempt = {
    worker,
    attempt,
    pid: child.pid ?? 0,
    startedAt,
    reports: [],
    killed: false,
    endedAt: 0,
    exit: '',
  }
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      Object.assign(record, { endedAt: now(), exit: signal ?? `exit code ${code}` })
      resolve()
    })
  })
  const isPrepared = new Promise<void>((resolve) => {
    child.on('message', (message) => {
      const report = message as Report
      record.reports.push(report)
      if (report.is === 'prepared') resolve()
      onReport()
    })
  })
  // Reports still in the pipe arrive after 'exit' and before 'disconnect'.
  const drained = new Promise<void>((resolve) => child.once('disconnect', resolve))
  return {
    record,
    prepared: Promise.race([isPrepared, exited]),
    ended: exited.then(() => drained),
    release: () => child.connected && child.send('go'),
    kill: () => child.kill('SIGKILL'),
  }
}
