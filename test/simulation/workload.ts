/** What the processes of a world do: a few calls each, of all that the library has, drawn from the seed. */
import { openCacheOn } from '../../src/latch/cache.js'
import type { Entry } from '../../src/latch/entry.js'
import { withLockOn, writeFileOn } from '../../src/latch/write.js'
import { isErrno } from '../../src/host/disk-errors.js'
import { Actor, quiet } from './actor.js'
import { isInjected } from './faults.js'
import { check, describe, fill, readAll, readWhole } from './payload.js'
import type { Process } from './process.js'
import { BUILD_FAILS } from './witness.js'
import { CACHE, DATA, type World } from './world.js'
import { runWorker } from './wrapper.js'

type Step = (actor: Actor) => Promise<void>

async function compile(actor: Actor): Promise<void> {
  const { world, process, host } = actor
  const { chance, witness, swarm } = world
  const key = `key${chance.integer(1, swarm.keys)}`
  let durable = true
  const warned = process.warned
  const strict = chance.happens(0.3)
  await actor.trying(strict ? 'getOrCompile, strict' : 'getOrCompile', async () => {
    const build = async ({ dir }: { dir: string }): Promise<void> => {
      const isPrivate = dir.startsWith('/tmp')
      const done = isPrivate ? quiet : witness.building(key, process)
      try {
        if (chance.happens(0.3)) await host.clock.sleep(chance.magnitude(1, 20_000))
        if (swarm.failingBuilds && chance.happens(0.2)) throw new Error(BUILD_FAILS)
        await fill(host.pooledDisk, dir, key, chance.hex(4), chance)
      } catch (error) {
        witness.buildFailed(error)
        throw error
      } finally {
        done()
      }
    }
    const checked = chance.pick([
      'sizes',
      'hashes',
      witness.halfRemovedMayReturn ? 'sizes' : 'manifest',
    ] as const)
    const options = { ...actor.patience(), check: checked, strict }
    const entry = await (await actor.cache).getOrCompile(key, build, options)
    durable = process.warned === warned
    if (entry.outcome === 'compiled' && durable) witness.published(key)
    if (!durable) witness.notDurable(key)
    await use(actor, key, entry)
  })
}

async function use({ world, process, host }: Actor, key: string, entry: Entry): Promise<void> {
  const { chance, witness } = world
  try {
    for (let times = chance.integer(1, 3); times > 0; times--) {
      await readWhole(host.pooledDisk, entry.path, key).catch((error: unknown) =>
        witness.unreadable(key, process, error),
      )
      if (chance.happens(0.3)) await host.clock.sleep(chance.magnitude(1, 10_000))
    }
  } finally {
    await entry.release()
  }
}

async function get(actor: Actor): Promise<void> {
  const key = `key${actor.world.chance.integer(1, actor.world.swarm.keys)}`
  await actor.trying('get', async () => {
    const entry = await (await actor.cache).get(key)
    if (entry) await use(actor, key, entry)
  })
}

async function lock(actor: Actor): Promise<void> {
  const { world, process, host } = actor
  const { chance, witness } = world
  const path = `${DATA}/model`
  const asked = world.scheduler.now
  await actor.trying('withLock', () =>
    withLockOn(
      host,
      path,
      async (lease) => {
        const taken = witness.took(path, process, asked)
        for (let times = chance.integer(1, 6); times > 0; times--) {
          if (chance.happens(0.4)) await host.clock.sleep(chance.magnitude(1, 10_000))
          else await host.pooledDisk.lstat(DATA)
          if (lease.signal.aborted) return
          witness.isSure(path, taken)
        }
      },
      { ...actor.options, ...actor.patience() },
    ),
  )
}

async function write(actor: Actor): Promise<void> {
  const { world, process, host } = actor
  const { chance, witness } = world
  const path = `${DATA}/graph.bin`
  const version = chance.hex(4)
  const written = witness.graph.begin(version)
  const warned = process.warned
  const ok = await actor.trying('writeFile', () =>
    writeFileOn(host, path, describe('graph', version, 'graph.bin', chance.integer(0, 200)), {
      ...actor.options,
      ...actor.patience(),
    }),
  )
  if (ok) written(process.warned === warned)
}

async function read({ world, host, process }: Actor): Promise<void> {
  const { graph } = world.witness
  const seen = graph.reading()
  try {
    const bytes = await readAll(host.pooledDisk, `${DATA}/graph.bin`)
    seen(check(bytes, 'graph', 'graph.bin'), process)
  } catch (error) {
    const isMissing = isErrno(error, 'ENOENT') && !isInjected(error)
    // That there was none may be remembered from before (protocol, O).
    if (isMissing && world.swarm.remembers) return
    if (isMissing) seen(null, process)
    else if (!isInjected(error)) world.witness.report(`${process.name} read graph.bin: ${String(error)}`)
  }
}

async function collect(actor: Actor): Promise<void> {
  const { world } = actor
  const { chance, witness } = world
  const done = witness.removing()
  await actor.trying('gc', async () => {
    const cache = await actor.cache
    const graceMs = chance.pick([0, 1, 1_000, 60_000])
    const watchMs = chance.pick([0, 0, 3 * world.swarm.staleMs])
    const limits = chance.pick([{ maxBytes: 0 }, { maxAgeMs: 0 }, { maxBytes: 2_000 }, {}])
    if (chance.happens(0.1)) await cache.clear()
    else if (chance.happens(0.2)) await cache.remove(`key${chance.integer(1, world.swarm.keys)}`)
    else await cache.gc({ graceMs, watchMs, ...limits })
  })
  done()
}

async function look(actor: Actor): Promise<void> {
  const { chance } = actor.world
  const doing = chance.pick(['verify', 'list', 'status'] as const)
  await actor.trying(doing, async () => {
    const cache = await actor.cache
    if (doing === 'verify') await cache.verify({ quarantine: chance.happens(0.7) })
    else if (doing === 'status') await cache.status()
    else for await (const _ of cache.list());
  })
}

function stepsOf({ swarm }: World): Step[] {
  const times = (count: number, step: Step): Step[] => Array.from({ length: count }, () => step)
  const { compiles, locks, writes, workers, collectors } = swarm
  return [
    ...(compiles + locks + workers === 0 ? [compile] : []),
    ...times(compiles, compile),
    ...times(compiles > 0 ? 1 : 0, get),
    ...times(locks, lock),
    ...times(writes, write),
    ...times(writes, read),
    ...times(workers, runWorker),
    ...(collectors ? [collect, collect, look] : []),
  ]
}

/** A process from its start to its end, unless it is killed before. */
export async function live(process: Process): Promise<void> {
  const { world } = process
  const { chance } = world
  const actor = new Actor(process)
  const steps = stepsOf(world)
  for (let count = chance.integer(1, 4); count > 0; count--) {
    const together = chance.happens(0.25) ? chance.integer(2, 3) : 1
    await Promise.all(Array.from({ length: together }, () => chance.pick(steps)(actor)))
  }
  // Lock files are kept open for a second.
  for (let times = 0; times < 20 && process.calls.openFiles.length > 0; times++)
    await actor.host.clock.sleep(5_000)
  const openFiles = process.calls.openFiles.length
  process.exit()
  if (openFiles > 0) world.witness.report(`${process.name} has ended with ${openFiles} open files`)
}

/** When all is over: what a person would do, who wants to have everything in order. */
export async function tidyUp(process: Process): Promise<void> {
  const { world } = process
  const actor = new Actor(process)
  for (const root of [CACHE, `${DATA}/.cachelatch`]) {
    if (world.isMissing(root)) continue
    const cache = await openCacheOn(actor.host, root, actor.options)
    const mayBeDamaged = world.witness.halfRemovedMayReturn
    if (mayBeDamaged) await cache.verify({ quarantine: true })
    for (let times = 0; times < 3; times++) await cache.gc({ graceMs: 0, watchMs: 3 * world.swarm.staleMs })
    const { damaged, strangers } = await cache.verify()
    if (damaged.length + strangers.length > 0)
      world.witness.report(`verify found ${JSON.stringify({ damaged, strangers })}`)
  }
  await actor.host.clock.sleep(5_000)
  process.exit()
}
