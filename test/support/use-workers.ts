/** Workers of a test, killed after it, also when it failed; every other one on the second host, where there is one. */
import { afterEach } from 'vitest'
import { WorkerProcess } from './worker-process.js'
import { ON_THE_OTHER_HOST } from './workplace.js'

/** Returns the way to start workers; those that still live after a test are killed. */
export function useWorkers(): (
  script: string,
  args?: string[],
  env?: NodeJS.ProcessEnv,
  launcher?: string[],
) => WorkerProcess {
  const workers = new Set<WorkerProcess>()
  let started = 0
  afterEach(async () => {
    started = 0
    await Promise.all([...workers].map((worker) => worker.kill()))
    workers.clear()
  })
  return (script, args = [], env = {}, launcher = started++ % 2 === 1 ? ON_THE_OTHER_HOST : []) => {
    const worker = new WorkerProcess(script, args, env, launcher)
    workers.add(worker)
    return worker
  }
}
