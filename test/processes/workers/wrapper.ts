/** A launcher that prepares one worker, starts it, and can be killed without it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { errnoOf } from '../../../src/host/disk-errors.js'
import type { PreparedWorker, WorkerOptions } from '../../../src/launch/worker.js'
import { prepareWorker } from '../../../src/launch/worker.js'
import type { WorkerEvent } from '../../../src/launch/worker-events.js'
import { TESTED } from '../../support/presets.js'
import { obey } from './obey.js'

const events: WorkerEvent[] = []
let worker: PreparedWorker
let child: ChildProcess
let exit: Promise<number>

obey({
  /** @param barrier a file to wait for, without letting anything else run */
  async prepare(cache: string, options: Partial<WorkerOptions> = {}, barrier?: string) {
    if (barrier !== undefined) while (!existsSync(barrier));
    worker = await prepareWorker({
      cache,
      presets: [TESTED],
      settleMs: 0,
      ...options,
      onEvent: (event) => events.push(event),
    })
    return { path: worker.path, slot: worker.slot }
  },

  /** Starts `sh -c script`; its first line on stdout says that it is ready. Returns its pid, and that line. */
  async spawn(script: string) {
    worker.started()
    child = spawn('sh', ['-c', script], {
      env: { ...process.env, ...worker.env },
      stdio: ['ignore', 'pipe', 'ignore', worker.keepOpen ?? 'ignore'],
    })
    exit = new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 137)))
    void exit.then((code) => worker.ended(code))
    const line = await new Promise((resolve) =>
      child.stdout!.once('data', (text) => resolve(String(text).trim())),
    )
    return { pid: child.pid, line }
  },

  ended: (exitCode: number) => worker.ended(exitCode),
  /** So far; of errors the code. */
  events: () =>
    events.map((event) =>
      'error' in event ? Object.assign({}, event, { error: errnoOf(event.error) }) : event,
    ),
})
