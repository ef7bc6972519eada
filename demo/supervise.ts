/** Starts the workers, releases them together, kills one where the way asks for it, and collects their reports. */
import { MODEL } from './model.js'
import { now } from './messages.js'
import { startWorker } from './start-worker.js'
import type { Attempt, RunningWorker } from './start-worker.js'
import { WAYS } from './ways.js'
import type { Way } from './ways.js'

export type Plan = { way: Way; workers: number; root: string; signal: AbortSignal }
export type Supervised = { releasedAt: number; attempts: Attempt[] }

/** @throws the reason of `plan.signal` on abort; no worker is left alive, however this ends */
export async function supervise(plan: Plan): Promise<Supervised> {
  const everybody: RunningWorker[] = []
  const killAll = () => everybody.forEach(({ kill }) => kill())
  const start = async (worker: number, attempt: number) => {
    plan.signal.throwIfAborted()
    const running = startWorker({ ...plan, worker, attempt, onReport: () => killHalfway(plan, everybody) })
    everybody.push(running)
    await running.prepared
    return running
  }
  plan.signal.addEventListener('abort', killAll)
  try {
    const numbers = Array.from({ length: plan.workers }, (_, index) => index + 1)
    const first = await Promise.all(numbers.map((worker) => start(worker, 1)))
    const releasedAt = now()
    for (const { release } of first) release()
    await Promise.all(first.map((running) => untilSettled(running, start)))
    plan.signal.throwIfAborted()
    return { releasedAt, attempts: everybody.map(({ record }) => record) }
  } finally {
    plan.signal.removeEventListener('abort', killAll)
    killAll()
    await Promise.allSettled(everybody.map(({ ended }) => ended))
  }
}

/** As a supervisor of real workers would, a killed worker is started again. */
async function untilSettled(
  running: RunningWorker,
  start: (worker: number, attempt: number) => Promise<RunningWorker>,
): Promise<void> {
  await running.ended
  if (!running.record.killed) return
  const restarted = await start(running.record.worker, 2)
  restarted.release()
  await restarted.ended
}

/** Kills the first worker that has compiled half of the layers, while it compiles the next one. */
function killHalfway(plan: Plan, everybody: RunningWorker[]): void {
  if (!WAYS[plan.way].killHalfway || everybody.some(({ record }) => record.killed)) return
  const victim = everybody.find(({ record }) => layersCompiled(record) >= MODEL.layers.length / 2)
  if (!victim) return
  victim.record.killed = true
  victim.kill()
}

function layersCompiled({ reports }: Attempt): number {
  return reports.filter((report) => report.is === 'layer' && report.step === 'finished').length
}
