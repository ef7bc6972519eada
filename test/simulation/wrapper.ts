/** A process that runs a worker in a slot, as `cachelatch run` does. */
import { prepareWorkerOn } from '../../src/launch/worker.js'
import type { WorkerEvent } from '../../src/launch/worker-events.js'
import { type Actor, quiet } from './actor.js'
import type { Process } from './process.js'
import { PRESET } from './unit.js'
import { CACHE } from './world.js'
import { work } from './worker.js'

export async function runWorker(actor: Actor): Promise<void> {
  const { world, process, host } = actor
  const { chance, swarm, witness } = world
  const { timeoutMs } = actor.patience()
  const warned = process.warned
  const removals = witness.isRemoving ? null : witness.removals
  const onEvent = (event: WorkerEvent): void => {
    if (event.type !== 'worker-published') return
    if (process.warned === warned) witness.slots.published(event.unit, event.generation, removals)
  }
  await actor.trying('worker', async () => {
    const prepared = await prepareWorkerOn(host, {
      ...actor.options,
      cache: CACHE,
      presets: [PRESET],
      env: {},
      maxSlots: swarm.maxSlots,
      settleMs: swarm.settleMs,
      ...(chance.happens(0.1) && { once: 'force', timeoutMs }),
      onWait: quiet,
      onEvent,
    })
    const { path, slot, env, keepOpen } = prepared
    if (path === null || slot === null) return prepared.ended(0)
    await host.clock.sleep(chance.magnitude(0.1, 20))
    const worker = world.spawn(process, env, keepOpen)
    witness.slots.workerStarts(worker, path)
    void work(worker, path)
    prepared.started(worker.pid)
    await prepared.ended(await exitOf(worker, process))
  })
}

/** The kernel closes a child's files first, and tells its parent some time later. */
async function exitOf(worker: Process, parent: Process): Promise<number> {
  await worker.gone
  await new Promise<void>((resolve) => {
    parent.later('main', worker.world.chance.magnitude(0.1, 2_000), resolve)
  })
  return worker.exitCode!
}
