/** A cache that is removed under those who use it: made anew, or, when that happens again and again, said so. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { openCache, withLock, writeDirectory, writeFile } from '../../src/index.js'
import { useEvents } from '../support/events.js'
import { makeLocker } from '../support/lockers.js'
import { childrenOf } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { leftIn } from '../support/tree.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'

const scratch = useScratch()
const events = useEvents()
const start = useWorkers()
const remove = (path: string): void => rmSync(path, { recursive: true })
const contentOf = (path: string): string => readFileSync(join(path, 'f'), 'utf8')
const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'ours')

test.each(['kernel', 'lockfile'] as const)('before the call: it is made anew (%s)', async (locker) => {
  const root = join(scratch(), 'a/b')
  const cache = await openCache(root, { strict: true, locker })
  await (await cache.getOrCompile(1, fill)).release()
  remove(root)
  const entry = await cache.getOrCompile(1, fill)
  expect([entry.outcome, contentOf(entry.path)]).toEqual(['compiled', 'ours'])
  expect(entry.path.startsWith(root)).toBe(true)
})

test.each<[string, (dir: string) => void]>([
  ['before the build writes, so that it fails', (dir) => fill({ dir })],
  ['after it has written', () => undefined],
])('during the build, %s: the build runs once more, in a new cache', async (_name, after) => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  let builds = 0
  const entry = await cache.getOrCompile(1, (stage) => {
    if (++builds > 1) return fill(stage)
    fill(stage)
    remove(root)
    after(stage.dir)
  })
  expect([entry.outcome, contentOf(entry.path), builds]).toEqual(['compiled', 'ours', 2])
  expect(leftIn(root)).toEqual([])
})

test('removed, and made anew by another process, during the build: the same', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  let builds = 0
  const entry = await cache.getOrCompile(1, async (stage) => {
    fill(stage)
    if (++builds > 1) return
    remove(root)
    await (await openCache(root, { strict: true })).locker()
  })
  expect([entry.outcome, contentOf(entry.path), builds]).toEqual(['compiled', 'ours', 2])
})

test('again and again: ROOT_GONE with strict, else a private result', async () => {
  const root = scratch()
  const spoil = (stage: { dir: string }): void => {
    fill(stage)
    if (stage.dir.startsWith(root)) remove(root)
  }
  const strictly = (await openCache(root, { strict: true })).getOrCompile(1, spoil)
  await expect(strictly).rejects.toMatchObject({ code: 'ROOT_GONE', hint: expect.stringMatching(/\w/) })
  const entry = await (await openCache(root)).getOrCompile(1, spoil)
  expect([entry.outcome, contentOf(entry.path)]).toEqual(['private', 'ours'])
  expect(events('degraded')).toMatchObject([{ error: { code: 'ROOT_GONE' } }])
  await entry.release()
})

test.skipIf(process.platform !== 'linux')('while others wait for the lock: all get a result', async () => {
  const root = scratch()
  const gate = join(scratch(), 'go')
  const workers = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const worker = start('latch')
      await worker.ask('open', root, { strict: true })
      return worker
    }),
  )
  const entries = workers.slice(0, 1).map((worker) => worker.ask('compile', 'key', { until: gate }))
  await until('one builds', () => workers[0]!.noted('building'))
  entries.push(...workers.slice(1).map((worker) => worker.ask('compile', 'key', {})))
  await until('the others wait', () =>
    workers.slice(1).every(({ pid }) => childrenOf(pid).some(({ name }) => name === 'flock')),
  )
  remove(root)
  writeFileSync(gate, '')
  for (const entry of await Promise.all(entries)) expect(entry).toMatchObject({ whole: true })
})

test('a file is written although its books were removed while a payload that can be read twice was written', async () => {
  const directory = scratch()
  const books = join(directory, '.cachelatch')
  const path = join(directory, 'p')
  await writeFile(path, 'old')
  await withLock(join(directory, 'other'), () => remove(books))
  await writeFile(path, 'new')
  expect(readFileSync(path, 'utf8')).toBe('new')
  let fills = 0
  await writeDirectory(join(directory, 'd'), (dir) => {
    writeFileSync(join(dir, 'f'), 'x')
    if (fills++ === 0) remove(books)
  })
  expect([fills, contentOf(join(directory, 'd'))]).toEqual([2, 'x'])
})

test('books that were moved away, or to which a link leads, between two locks: not those are locked', async () => {
  const directory = scratch()
  const books = join(directory, '.cachelatch')
  const lock = async (): Promise<boolean> =>
    withLock(join(directory, 'p'), async () => {
      const [name = ''] = readdirSync(join(books, 'v1/locks'))
      const path = join(books, 'v1/locks', basename(name, '.lock'))
      const another = makeLocker('kernel').acquire(path, { timeoutMs: 0 })
      return another.then(
        () => false,
        () => true,
      )
    })
  expect(await lock()).toBe(true)
  renameSync(books, join(directory, 'moved'))
  expect(await lock()).toBe(true)
  rmSync(books, { recursive: true })
  symlinkSync('moved', books)
  await expect(lock()).rejects.toMatchObject({ code: 'UNSAFE_PATH' })
})

test('a stream, which cannot be read twice, is ROOT_GONE then: the old file stays whole', async () => {
  const directory = scratch()
  const path = join(directory, 'p')
  await writeFile(path, 'old')
  async function* stream(): AsyncGenerator<string> {
    yield 'first '
    remove(join(directory, '.cachelatch'))
    yield 'second'
  }
  await expect(writeFile(path, stream())).rejects.toMatchObject({ code: 'ROOT_GONE' })
  expect(readFileSync(path, 'utf8')).toBe('old')
})

test('a link in the path of a target is followed to where it leads now', async () => {
  const base = scratch()
  mkdirSync(join(base, 'v1'))
  mkdirSync(join(base, 'v2'))
  const link = join(base, 'current')
  symlinkSync('v1', link)
  await writeFile(join(link, 'p'), 'one')
  symlinkSync('v2', join(base, 'next'))
  renameSync(join(base, 'next'), link)
  await writeFile(join(link, 'p'), 'two')
  expect(readFileSync(join(base, 'v1/p'), 'utf8')).toBe('one')
  expect(readFileSync(join(base, 'v2/p'), 'utf8')).toBe('two')
  expect(existsSync(join(base, 'v2/.cachelatch'))).toBe(true)
})
