/** A worker without the cache: cold, in a directory of its own, and told so once. */
import type { PrivateDirectory } from '../host/private-directory.js'
import { type WorkerEnvironment, environmentFor } from './environment.js'
import type { WorkerJob } from './slot-worker.js'
import { makeParents } from './unit-files.js'
import type { PreparedWorker } from './worker.js'
import { type WorkerEvent, emitWorkerEvent } from './worker-events.js'

export async function prepareInPrivate(
  { host, options, presets }: WorkerJob,
  trouble: unknown,
): Promise<PreparedWorker> {
  const worker = options.name ?? 'private'
  const tell = (event: WorkerEvent): void => emitWorkerEvent(event, options.onEvent)
  const ended = (exitCode: number): Promise<void> =>
    Promise.resolve(tell({ type: 'worker-ended', worker, exitCode }))
  tell({ type: 'worker-degraded', worker, unit: null, error: trouble })

  let directory: PrivateDirectory | undefined
  let environment: WorkerEnvironment
  try {
    directory = await host.privateDirectories.make()
    environment = environmentFor(presets, directory.path, options.env ?? process.env)
    const made = new Set<string>()
    for (const each of environment.directories)
      await makeParents(host.pooledDisk, directory.path, `${each}/.`, made)
  } catch {
    // Not even there: the worker has what it would have had without us.
    directory?.remove()
    return { path: null, slot: null, env: {}, keepOpen: null, started: () => {}, ended }
  }
  const { path, fd } = directory
  tell({ type: 'worker-prepared', worker, slot: null, path })
  return {
    path,
    slot: null,
    env: environment.set,
    keepOpen: fd,
    started: () => {},
    async ended(exitCode) {
      await ended(exitCode)
      directory?.remove()
    },
  }
}
