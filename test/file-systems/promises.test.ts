/**
 * What README promises, with the locker that is chosen for the file system under CACHELATCH_TEST_DIR; where that is
 * mounted twice, among processes on two hosts. `npm run evidence` runs this on every file system that it can make.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { realHost } from '../../src/host/host.js'
import { openCache, writeDirectory, writeFile } from '../../src/index.js'
import { entryPath, openTestCache } from '../support/caches.js'
import { readEntry } from '../support/candidate.js'
import { fillDisk } from '../support/full-disk.js'
import { STALE_MS } from '../support/lockers.js'
import { useScratch } from '../support/scratch.js'
import { leftIn } from '../support/tree.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import type { WorkerProcess } from '../support/worker-process.js'

const scratch = useScratch()
const localScratch = useScratch(tmpdir())
const startWorker = useWorkers()
let gates: string
let root: string

beforeEach(() => {
  gates = localScratch('gates')
  root = scratch('cache')
})

interface Result {
  outcome: string
  name: string
}

const start = (locker = 'auto'): WorkerProcess =>
  startWorker('compiler', [locker, String(STALE_MS)], { CACHELATCH_GATE_DIR: gates })
const startSome = (count: number, locker?: string): WorkerProcess[] =>
  Array.from({ length: count }, () => start(locker))

test('of eight processes that ask at once, one compiles, and all get what it has made', async () => {
  const workers = startSome(8)
  const signs = localScratch('signs')
  // The build ends when all others have said that they wait.
  const order = { root, key: 'model', log: `${signs}.log`, signs, awaitSigns: 7 }
  const results = await Promise.all(workers.map((worker) => worker.ask<Result>('compile', order)))
  expect(results.map(({ outcome }) => outcome).sort()).toEqual(['compiled', ...Array(7).fill('waited')])
  expect(new Set(results.map(({ name }) => name)).size).toBe(1)
  expect(readFileSync(order.log, 'utf8').match(/^started/gm)).toHaveLength(1)
})

test('with a lock that excludes nobody, eight compile, one result is published, and no reader sees a part', async () => {
  const writers = startSome(8, 'nobody')
  const reader = start('nobody')
  const signs = localScratch('signs')
  const path = entryPath(root, 'model')
  await reader.ask('watch', path)
  const order = { root, key: 'model', log: `${signs}.log`, signs, signBuild: true, awaitSigns: 8 }
  const results = await Promise.all(writers.map((writer) => writer.ask<Result>('compile', order)))
  const { errors, seen } = await reader.ask<{ errors: string[]; seen: string[] }>('unwatch', path)
  const published = readEntry(path)
  expect(errors).toEqual([])
  expect(results.map(({ outcome }) => outcome)).toEqual(Array(8).fill('compiled'))
  expect(new Set([...results.map(({ name }) => name), ...seen])).toEqual(new Set([published]))
})

test.each(['before rename', 'build: in the middle of weights.bin', 'build: before the end of the build'])(
  'killed with -9 (%s): of those who wait one compiles, and no reader sees a part',
  async (standStillAt) => {
    const [survivors, reader] = [startSome(2), start()]
    const files = localScratch('signs')
    const [log, sign] = [join(files, 'log'), join(files, 'victim')]
    const path = entryPath(root, 'model')
    await reader.ask('watch', path)
    const victim = startWorker('victim', [], { CACHELATCH_GATE_DIR: gates })
    void victim.ask('compile', { root, locker: 'auto', staleMs: STALE_MS, log, standStillAt, sign })
    await until('the victim stands still', () => existsSync(sign))
    const asked = survivors.map((worker) => worker.ask<Result>('compile', { root, key: 'model', log }))
    await victim.kill()
    const results = await Promise.all(asked)
    const { errors, seen } = await reader.ask<{ errors: string[]; seen: string[] }>('unwatch', path)
    expect(errors).toEqual([])
    expect(results.filter(({ outcome }) => outcome === 'compiled')).toHaveLength(1)
    expect(new Set([...results.map(({ name }) => name), ...seen]).size).toBe(1)
  },
)

test('what crashes have left, gc removes', async () => {
  const cache = await openTestCache(realHost(), root, { locker: 'auto', staleMs: STALE_MS })
  await (await cache.getOrCompile('other', ({ dir }) => writeFile(join(dir, 'f'), 'x'))).release()
  const sign = join(localScratch('signs'), 'victim')
  const victim = startWorker('victim', [], { CACHELATCH_GATE_DIR: gates })
  const standStillAt = 'build: in the middle of weights.bin'
  void victim.ask('compile', { root, locker: 'auto', staleMs: STALE_MS, log: sign, standStillAt, sign })
  await until('the victim stands still', () => existsSync(sign))
  await victim.kill()
  const { kind } = await cache.locker()
  await cache.gc({ graceMs: 0, watchMs: kind === 'lockfile' ? 3 * STALE_MS : 0 })
  expect(leftIn(root)).toEqual([])
})

describe.skipIf(process.env['CACHELATCH_TEST_SMALL_DIR'] === undefined)('a full disk:', () => {
  const place = process.env['CACHELATCH_TEST_SMALL_DIR']!
  const ballastIn = process.env['CACHELATCH_TEST_BALLAST_DIR'] ?? place
  const LARGE = Buffer.alloc(4 * 1024 * 1024, 'x')
  /** sshfs has EIO for it. */
  const full = { code: expect.stringMatching(/^DISK_(FULL|ERROR)$/) as string }
  let directory: string

  beforeEach(() => {
    directory = join(place, 'full-disk')
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory)
  })

  test('a file and a directory keep their old content, and the error speaks of the disk', async () => {
    const [file, tree] = [join(directory, 'file'), join(directory, 'tree')]
    await writeFile(file, 'old')
    await writeDirectory(tree, (dir) => writeFile(join(dir, 'f'), 'old'))
    using _full = fillDisk(ballastIn, LARGE.length / 2)
    await expect(writeFile(file, LARGE)).rejects.toMatchObject(full)
    const replacing = writeDirectory(tree, (dir) => writeFile(join(dir, 'f'), LARGE), { ifExists: 'replace' })
    await expect(replacing).rejects.toMatchObject(full)
    expect([readFileSync(file, 'utf8'), readFileSync(join(tree, 'f'), 'utf8')]).toEqual(['old', 'old'])
  })

  test('a build that finds no space is done again privately, and once there is space it is published', async () => {
    const cache = await openCache(join(directory, 'cache'))
    await cache.locker()
    const build = ({ dir }: { dir: string }): Promise<void> => writeFile(join(dir, 'f'), LARGE)
    {
      using _full = fillDisk(ballastIn, LARGE.length / 2)
      await using entry = await cache.getOrCompile('model', build)
      expect(entry.outcome).toBe('private')
      expect(readFileSync(join(entry.path, 'f')).equals(LARGE)).toBe(true)
    }
    await using entry = await cache.getOrCompile('model', build)
    expect(entry.outcome).toBe('compiled')
    expect(readFileSync(join(entry.path, 'f')).equals(LARGE)).toBe(true)
  })
})
