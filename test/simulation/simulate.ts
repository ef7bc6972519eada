/**
 * One world from its beginning to its end, all of it decided by one number.
 *
 * What finds it, when a safeguard is taken away, counted in worlds from seed 1 on:
 *   fsync of files before the rename                                    17
 *   whether a process lives that was started with the slot              95
 *   a slot's mark, unlinked before its worker starts                   100
 *   whether a worker is just ending, before its unit is placed         143
 *   the look after locking, whether the path still names the file      306 (kernel)
 * Not simulated: absolute paths inside a worker's files, two hosts of one name, `nocto`, and what two processes do
 * between two system calls made in one go.
 */
// What the library loads when it first needs it is here already: loading takes time that no seed decides.
import '../../src/latch/gc.js'
import '../../src/latch/snapshots.js'
import '../../src/latch/statistics.js'
import '../../src/latch/status.js'
import '../../src/latch/verify.js'
import { leftoversIn } from './leftovers.js'
import { settle } from './scheduler.js'
import { describeSwarm, type Swarm } from './swarm.js'
import { Violation } from './witness.js'
import { live, tidyUp } from './workload.js'
import { CACHE, DATA, World } from './world.js'

export interface Order {
  seed: number
  locker?: Swarm['locker'] | undefined
  /** Tells all that happened, also where nothing was broken. */
  traced?: boolean
}

export interface Told {
  seed: number
  swarm: string
  /** How many things have happened. */
  steps: number
  /** Two runs with one hash were the same. */
  hash: string
  /** What was broken; `null`: nothing. */
  violation: string | null
  /** The end of what happened, where a promise was broken. */
  trace: string
}

const MAX_STEPS = 200_000

/** In a plain process or thread: see world-thread.ts. */
export async function simulate({ seed, locker, traced = false }: Order): Promise<Told> {
  await refuseSlowModules()
  const world = new World(seed, locker)
  const restore = replaceGlobals(world)
  let violation: string | null = null
  try {
    await runAll(world)
  } catch (error) {
    violation = error instanceof Violation ? error.message : `the simulation: ${(error as Error).stack}`
  } finally {
    restore()
  }
  const { steps, trace } = world.scheduler
  return {
    seed,
    swarm: describeSwarm(world.swarm),
    steps,
    hash: trace.hash,
    violation,
    trace: traced || violation !== null ? trace.last() : '',
  }
}

/** Where even a module that is here takes a turn of the event loop to be had, a world goes on meanwhile. */
async function refuseSlowModules(): Promise<void> {
  let isHere = false
  void import('../../src/latch/gc.js').then(() => (isHere = true))
  await settle()
  if (!isHere) throw new Error('Here no seed would replay: modules are loaded from elsewhere, each time.')
}

async function runAll(world: World): Promise<void> {
  const { swarm, faults, witness, scheduler } = world
  await finish(
    world,
    Array.from({ length: swarm.processesAtOnce }, () => generations(world)),
  )
  await finish(world, [world.allGone()])
  faults.calm = true
  faults.isFull = false
  witness.checkEntries()
  witness.slots.check()
  witness.checkGraph()
  for (const machine of world.machines) machine.setClockRight()
  // Longer than anything is left alone for being young, or for having been changed by who had a wrong clock.
  await finish(world, [later(world, 48 * 3_600_000)])
  for (const machine of world.machines) await finish(world, [tidyUp(world.start(machine))])
  witness.checkEntries()
  witness.slots.check()
  // Where no cache has come into being, there is none to be tidied up.
  const roots = [CACHE, `${DATA}/.cachelatch`].filter((root) => !world.isMissing(root))
  const left = roots.flatMap((root) => leftoversIn(world, root))
  if (left.length > 0) witness.report(`left when all was over: ${left.join(', ')}`)
  scheduler.trace.add('', 'the end')
  if (witness.violation) throw witness.violation
}

/** One process after the other, as a supervisor would have it. */
async function generations(world: World): Promise<void> {
  const { swarm, chance, scheduler } = world
  while (world.started < swarm.processes) {
    world.started++
    const process = world.start()
    scheduler.trace.add(process.name, 'starts')
    await Promise.race([live(process), process.gone])
    await later(world, chance.magnitude(0.01, 2_000))
  }
}

function later(world: World, ms: number): Promise<void> {
  return new Promise((resolve) => void world.scheduler.after(ms, resolve))
}

async function finish(world: World, work: Promise<void>[]): Promise<void> {
  const { scheduler, witness } = world
  let over = false
  let failed: Error | undefined
  Promise.all(work).then(
    () => (over = true),
    (error: Error) => (failed = error),
  )
  const between = (): void => {
    if (failed) throw failed
    if (witness.violation) throw witness.violation
  }
  const stuck = (): Error => new Violation(`nothing happens any more, or too much, and somebody waits`)
  await scheduler.run(() => over, MAX_STEPS, between, stuck)
}

/**
 * What the library has of the process itself, beside its host: what people are told on stderr is told to the world, and
 * a turn of the event loop is an event of the world's.
 */
function replaceGlobals(world: World): () => void {
  const { setImmediate } = globalThis
  const warning = Object.getOwnPropertyDescriptor(process, 'emitWarning')!
  const listen = (_message: string, { code }: { code?: string } = {}): void => {
    if (code === 'CACHELATCH_NOT_DURABLE' && world.running) world.running.warned++
  }
  process.emitWarning = listen as typeof process.emitWarning
  const turn = (work: () => void): void => void world.running!.later('main', 0, work)
  globalThis.setImmediate = turn as unknown as typeof setImmediate
  return () => {
    globalThis.setImmediate = setImmediate
    Object.defineProperty(process, 'emitWarning', warning)
  }
}
