/** Workers of the test's own process: each is a function that writes into its slot. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Host, realHost } from '../../src/host/host.js'
import { type Opened, openRoot } from '../../src/latch/open.js'
import { namespaceOf } from '../../src/launch/namespace.js'
import { type Snapshot, readSnapshot } from '../../src/launch/snapshots.js'
import { type PreparedWorker, type WorkerOptions, prepareWorkerOn } from '../../src/launch/worker.js'
import type { WorkerEvent } from '../../src/launch/worker-events.js'
import { TESTED } from './presets.js'

export interface TestWorker extends PreparedWorker {
  path: string
  events: WorkerEvent[]
  /** Writes a file into the slot. */
  write: (path: string, content: string | Buffer) => void
  read: (path: string) => string
  /** Files in the slot, sorted. */
  files: () => string[]
  /** Of one type, in order. */
  saw: <T extends WorkerEvent['type']>(type: T) => Extract<WorkerEvent, { type: T }>[]
}

/** Publishes only at its end, unless `settleMs` says otherwise. */
export async function prepareTestWorker(
  cache: string,
  options: Partial<WorkerOptions> = {},
  host: Host = realHost(),
): Promise<TestWorker> {
  const events: WorkerEvent[] = []
  const prepared = await prepareWorkerOn(host, {
    cache,
    presets: [TESTED],
    settleMs: 0,
    env: {},
    onEvent: (event) => events.push(event),
    ...options,
  })
  const path = prepared.path!
  return {
    ...prepared,
    path,
    events,
    write(file, content) {
      mkdirSync(dirname(join(path, file)), { recursive: true })
      writeFileSync(join(path, file), content)
    },
    read: (file) => readFileSync(join(path, file), 'utf8'),
    files: () => filesBelow(path),
    saw: <T extends WorkerEvent['type']>(type: T) =>
      events.filter((event): event is Extract<WorkerEvent, { type: T }> => event.type === type),
  }
}

/** One whole life of a worker. */
export async function runTestWorker(
  cache: string,
  work: (worker: TestWorker) => unknown,
  { exitCode = 0, ...options }: Partial<WorkerOptions> & { exitCode?: number } = {},
  host?: Host,
): Promise<TestWorker> {
  const worker = await prepareTestWorker(cache, options, host)
  worker.started()
  await work(worker)
  await worker.ended(exitCode)
  return worker
}

function openTestRoot(cache: string, host: Host = realHost()): Promise<Opened> {
  return openRoot(host, cache)
}

export const TESTED_NAMESPACE = namespaceOf([TESTED.name])

export async function snapshotIn(cache: string): Promise<Snapshot> {
  return readSnapshot(await openTestRoot(cache), TESTED_NAMESPACE)
}

/** Generations by unit. */
export async function generationsIn(cache: string): Promise<Record<string, number>> {
  return Object.fromEntries(
    [...(await snapshotIn(cache))].map(([unit, { generation }]) => [unit, generation]),
  )
}

export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}
