/** Everything that is done in a cache, or beside a path. Each resolves to what came out of it. */
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lookInto } from '../../src/doctor/contents.js'
import { realHost } from '../../src/host/host.js'
import { permissionsOf } from '../../src/host/situation.js'
import { type Cache, openCacheOn } from '../../src/latch/cache.js'
import { findUnpinned } from '../../src/latch/unpinned.js'
import { withLock, writeDirectory, writeFile } from '../../src/latch/write.js'
import { Layout } from '../../src/store/layout.js'
import { type TestWorker, prepareTestWorker } from '../support/slot-workers.js'
import { STALE_MS, type World } from './world.js'

/** Nobody here holds a lock for longer; what is planted may look as if it did. */
const TIMEOUT_MS = 300

export type Operation = (world: World, cache: Cache) => Promise<unknown>

const options = { timeoutMs: TIMEOUT_MS, onWait: () => undefined }

async function obtain(cache: Cache, key: string, more: object = {}): Promise<unknown> {
  const build = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'ours')
  await using entry = await cache.getOrCompile(key, build, { ...options, ...more })
  return [entry.outcome, readFileSync(join(entry.path, 'f'), 'utf8')]
}

const beside = ({ locker }: World): { locker: World['locker']; staleMs: number; timeoutMs: number } => ({
  locker,
  staleMs: STALE_MS,
  timeoutMs: TIMEOUT_MS,
})

async function list(cache: Cache): Promise<unknown> {
  const entries: unknown[] = []
  for await (const entry of cache.list()) entries.push(entry)
  return entries
}

const prepare = ({ root, locker }: World): Promise<TestWorker> =>
  prepareTestWorker(root, { locker, staleMs: STALE_MS, timeoutMs: TIMEOUT_MS })

async function work(world: World): Promise<unknown> {
  const worker = await prepare(world)
  worker.write('groups/g2/kernel', 'ours')
  const files = worker.files().filter((file) => lstatSync(join(worker.path, file)).isFile())
  const found = files.map((file) => [file, worker.read(file)])
  await worker.ended(0)
  return found
}

/** While another has the slot that is there: in one that is made and seeded. */
async function workBeside(world: World): Promise<unknown> {
  const other = await prepare(world)
  try {
    return await work(world)
  } finally {
    await other.ended(1)
  }
}

/** What doctor does in a cache itself; all else it does in a directory of its own. */
const lookOfDoctor = async (layout: Layout): Promise<unknown> => [
  permissionsOf([layout.root, layout.top, ...layout.directories]),
  await lookInto(realHost(), layout),
]

/** They change nothing that another of them could see: one world is enough for all. */
const READING: Record<string, Operation> = {
  'a hit': (_world, cache) => obtain(cache, 'warm'),
  'a hit, strictly': (_world, cache) => obtain(cache, 'warm', { strict: true, check: 'hashes' }),
  'a hit without a pin': async ({ root }) => {
    const found = await findUnpinned(root, 'warm')
    return found && readFileSync(join(found.path, 'f'), 'utf8')
  },
  get: async (_world, cache) => {
    await using entry = await cache.get('warm')
    return entry && readFileSync(join(entry.path, 'f'), 'utf8')
  },
  list: (_world, cache) => list(cache),
  snapshots: (_world, cache) => cache.snapshots(),
  status: (_world, cache) => cache.status(),
  stats: (_world, cache) => cache.stats({ byKey: true }),
  verify: (_world, cache) => cache.verify(),
  'a look of doctor': ({ root }) => lookOfDoctor(new Layout(root)),
}

const WRITING: Record<string, Operation> = {
  'a compile': (_world, cache) => obtain(cache, 'cold'),
  'a compile, strictly': (_world, cache) => obtain(cache, 'cold', { strict: true }),
  'a compile after a failed one': (_world, cache) => obtain(cache, 'failed'),
  remove: (_world, cache) => cache.remove('warm'),
  quarantine: (_world, cache) => cache.verify({ quarantine: true }),
  gc: (_world, cache) => cache.gc({ maxBytes: 0, maxAgeMs: 0, graceMs: 0, watchMs: 0 }),
  clear: (_world, cache) => cache.clear(),
  'a worker': work,
  'a second worker': workBeside,
}

/** Of paths beside the cache. */
const BESIDE: Record<string, Operation> = {
  withLock: (world) => withLock(join(world.targets, 'target'), () => 'held', beside(world)),
  writeFile: async (world) => {
    const path = join(world.targets, 'target')
    await writeFile(path, 'ours', beside(world))
    return readFileSync(path, 'utf8')
  },
  writeDirectory: (world) =>
    writeDirectory(join(world.targets, 'tree'), (dir) => writeFileSync(join(dir, 'f'), 'ours'), {
      ...beside(world),
      ifExists: 'replace',
    }),
}

export const OPERATIONS: Record<string, Operation> = { ...READING, ...WRITING, ...BESIDE }

/** What can be tried one after the other in one world. */
export const ROUNDS = {
  cache: [Object.keys(READING), ...Object.keys(WRITING).map((name) => [name])],
  beside: [Object.keys(BESIDE)],
}

export function openOf({ root, locker }: World): Promise<Cache> {
  return openCacheOn(realHost(), root, { locker, staleMs: STALE_MS })
}
