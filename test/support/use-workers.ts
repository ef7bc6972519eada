/** Workers of a test, killed after it, also when it failed. */
import { afterEach } from 'vitest'
import { WorkerProcess } from './worker-process.js'

/** Returns the way to start workers; those that still live after a test are killed. */
export function useWorkers(): (
  script: string,
  args?: string[],
  env?: NodeJS.ProcessEnv,
  launcher?: string[],
) => WorkerProcess {
  const workers = new Set<WorkerProcess>()
  afterEach(async () => {
    await Promise.all([...workers].map((worker) => worker.kill()))
    workers.clear()
  })
  return (script, args = [], env = {}, launcher = []) => {
    const worker = new WorkerProcess(script, args, env, launcher)
    workers.add(worker)
    return worker
  }
}
