/** What is under way when the power goes, and what must be so at the next boot. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cache, openCache, writeDirectory, writeFile } from '../../src/index.js'
import { entryPath } from '../support/caches.js'
import { age } from '../support/shelf.js'
import { prepareTestWorker } from '../support/slot-workers.js'
import { assertPayload, contentOf, hasEntry, writeInPieces, writePayload } from './payload.js'

export interface Scene {
  name: string
  /** What is on the device before. @param top an empty directory */
  before?: (top: string) => Promise<unknown>
  /** Resolves when it has told its caller that it is done. */
  act: (top: string) => Promise<unknown>
  /** At the next boot: what is there is whole, what was reported is there, and whoever works there can. */
  look: (top: string, reported: boolean) => Promise<void>
}

const KERNEL = { locker: 'kernel' } as const

const open = (path: string): Promise<Cache> => openCache(path, { ...KERNEL, strict: true })

async function compile(cache: Cache, key: string, name: string): Promise<string> {
  const entry = await cache.getOrCompile(key, ({ dir }) => writePayload(dir, name), { timeoutMs: 0 })
  assertPayload(entry.path, [key, `${key} anew`])
  await entry.release()
  return entry.outcome
}

/** Whatever a reader accepts is whole, without hashing a byte; then whoever comes can work. */
async function lookAtCache(path: string, key: string): Promise<void> {
  const cache = await open(path)
  const entry = await cache.get(key)
  if (entry !== null) assertPayload(entry.path, [key, `${key} anew`])
  await entry?.release()
  await compile(cache, key, `${key} anew`)
  assert.deepEqual((await cache.verify({ keys: [key] })).damaged, [])
}

/** Looks without the library first: a name among the entries is never that of a part. */
async function lookForEntry(path: string, key: string, reported: boolean): Promise<void> {
  const isThere = hasEntry(entryPath(path, key), [key])
  assert.ok(isThere || !reported, `${key} was published, and is lost`)
  await lookAtCache(path, key)
}

const cacheIn = (top: string): string => join(top, 'made/for/cache')

const inCache = (top: string): string => join(top, 'cache')

const withKept = async (top: string): Promise<Cache> => {
  const cache = await open(inCache(top))
  await compile(cache, 'kept', 'kept')
  return cache
}

const compiling: Scene[] = [
  {
    name: 'compile in a new cache',
    act: async (top) => compile(await open(cacheIn(top)), 'model', 'model'),
    look: (top, reported) => lookForEntry(cacheIn(top), 'model', reported),
  },
  {
    name: 'compile',
    before: withKept,
    act: async (top) => compile(await open(inCache(top)), 'model', 'model'),
    async look(top, reported) {
      assert.ok(hasEntry(entryPath(inCache(top), 'kept'), ['kept']), 'what was there before is lost')
      await lookForEntry(inCache(top), 'model', reported)
    },
  },
  {
    name: 'compile what is damaged',
    async before(top) {
      await compile(await open(inCache(top)), 'model', 'model')
      writeFileSync(join(entryPath(inCache(top), 'model'), 'files/kernel.bin'), 'damaged')
    },
    act: async (top) => compile(await open(inCache(top)), 'model', 'model anew'),
    async look(top, reported) {
      if (reported) assert.ok(hasEntry(entryPath(inCache(top), 'model'), ['model anew']))
      await compile(await open(inCache(top)), 'model', 'model anew')
    },
  },
  {
    name: 'gc',
    async before(top) {
      const cache = await withKept(top)
      await compile(cache, 'model', 'model')
      age(cache, 'model', 3_600_000)
    },
    act: async (top) => (await open(inCache(top))).gc({ maxAgeMs: 60_000, graceMs: 0 }),
    async look(top) {
      assert.ok(hasEntry(entryPath(inCache(top), 'kept'), ['kept']), 'what was not to go is lost')
      await lookAtCache(inCache(top), 'model')
    },
  },
]

function writing(name: string, { old, directory }: { old: boolean; directory: string }): Scene {
  const target = (top: string): string => join(top, directory, 'file')
  return {
    name,
    async before(top) {
      if (!old) return
      mkdirSync(join(top, directory), { recursive: true })
      await writeFile(target(top), contentOf('old', 'file'), KERNEL)
    },
    act: (top) => writeFile(target(top), contentOf('new', 'file'), KERNEL),
    async look(top, reported) {
      const now = existsSync(target(top)) ? readFileSync(target(top), 'utf8') : null
      const isOld = now === (old ? contentOf('old', 'file') : null)
      assert.ok(
        now === contentOf('new', 'file') || (isOld && !reported),
        `it begins with ${now?.slice(0, 10)}`,
      )
      await writeFile(target(top), 'again', { ...KERNEL, timeoutMs: 0 })
    },
  }
}

function writingDirectory(name: string, old: boolean): Scene {
  const target = (top: string): string => join(top, 'directory')
  const write = (top: string, content: string) =>
    writeDirectory(target(top), (dir) => writePayload(dir, content), { ...KERNEL, ifExists: 'replace' })
  return {
    name,
    before: async (top) => (old ? write(top, 'old') : undefined),
    act: (top) => write(top, 'new'),
    async look(top, reported) {
      if (old || reported || existsSync(target(top)))
        assertPayload(target(top), reported || !old ? ['new'] : ['old', 'new'])
      await write(top, 'again')
    },
  }
}

const UNITS = ['groups/a/one', 'groups/a/two', 'singles/s']

const snapshot: Scene = {
  name: 'publish a snapshot',
  async act(top) {
    const worker = await prepareTestWorker(inCache(top), KERNEL)
    for (const parent of ['groups/a']) mkdirSync(join(worker.path, parent))
    for (const unit of UNITS) writeInPieces(join(worker.path, unit), contentOf('worker', unit))
    await worker.ended(0)
    assert.equal(worker.saw('worker-published').length, 2)
  },
  async look(top, reported) {
    const next = await prepareTestWorker(inCache(top), KERNEL)
    const there = next.files()
    for (const unit of there) assert.equal(next.read(unit), contentOf('worker', unit), `${unit} is not whole`)
    const [group, all] = [there.filter((unit) => unit.startsWith('groups/')).length, there.length]
    assert.ok(reported ? all === 3 : group === 0 || group === 2, `of the snapshot, there is ${there.join()}`)
    await next.ended(1)
  },
}

export const SCENES: readonly Scene[] = [
  ...compiling,
  writing('write a file in new directories', { old: false, directory: 'made/for' }),
  writing('replace a file', { old: true, directory: 'there' }),
  writingDirectory('write a directory', false),
  writingDirectory('replace a directory', true),
  snapshot,
]
