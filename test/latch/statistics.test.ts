/** What is counted is what has happened, whoever counts, and counting never gets in the way. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { noCounts } from '../../src/core/counts.js'
import { pooledDisk } from '../../src/host/disk.js'
import { type Host, realHost } from '../../src/host/host.js'
import { type Cache, openCache } from '../../src/index.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'

const scratch = useScratch()
const start = useWorkers()
const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'four')
const DAY = 24 * 60 * 60 * 1000

/** A host whose time stands still unless it is told to go on. */
function stoppedHost(): { host: Host; pass: (ms: number) => void } {
  const real = realHost()
  let time = 1_000
  const clock = { ...real.clock, now: () => time, wallTime: () => 1.8e12 + time }
  return { host: { ...real, clock }, pass: (ms) => (time += ms) }
}

const statsFile = (root: string): string => join(root, 'v1/stats', readdirSync(join(root, 'v1/stats'))[0]!)

async function release(asked: ReturnType<Cache['getOrCompile']>): Promise<void> {
  await (await asked).release()
}

describe.each(['in the calling thread', 'in the pool'])('%s', (where) => {
  const onDisk = (host: Host): Host =>
    where === 'in the pool' ? { ...host, diskFor: () => pooledDisk } : host

  test('a compile, two hits and a failure, with the time that the hits saved', async () => {
    const { host, pass } = stoppedHost()
    const cache = await openCacheOn(onDisk(host), scratch(), { strict: true })
    const build = (stage: { dir: string }): void => {
      pass(500)
      fill(stage)
    }
    for (let call = 0; call < 3; call++) await release(cache.getOrCompile('a', build))
    await expect(cache.getOrCompile('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    const some = { compiled: 1, hits: 2, bytes: 4, buildMs: 500, savedMs: 1000 }
    const total = { ...noCounts(), ...some, failures: 1, hitRate: 2 / 3 }
    expect(await cache.stats()).toEqual({ schema: 1, root: cache.root, since: null, ...total })
    expect((await cache.stats({ byKey: true })).keys).toEqual([
      { ...noCounts(), ...some, key: '"a"', id: expect.any(String), hitRate: 2 / 3 },
      { ...noCounts(), failures: 1, key: '"b"', id: expect.any(String), hitRate: null },
    ])
  })

  test('who asks for the last hour does not see what was before', async () => {
    const { host, pass } = stoppedHost()
    const cache = await openCacheOn(onDisk(host), scratch(), { strict: true })
    await release(cache.getOrCompile('a', fill))
    pass(3_600_001)
    await release(cache.getOrCompile('a', fill))
    expect(await cache.stats({ sinceMs: 3_600_000 })).toMatchObject({ compiled: 0, hits: 1, hitRate: 1 })
    expect(await cache.stats({ sinceMs: 3_600_001 })).toMatchObject({ compiled: 1, hits: 1, hitRate: 0.5 })
    pass(40 * DAY)
    expect(await cache.stats({ sinceMs: DAY })).toMatchObject({ compiled: 0, hits: 0, hitRate: null })
  })
})

test('hits of more keys than are kept in memory are all counted', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  for (let key = 0; key < 300; key++) await release(cache.getOrCompile(key, fill))
  const other = await openCache(root, { strict: true })
  for (let key = 0; key < 300; key++) await release(other.getOrCompile(key, fill))
  expect(await other.stats()).toMatchObject({ compiled: 300, hits: 300 })
})

test('hits are written after ten seconds, and twice as late as long as they go on', async () => {
  const { host, pass } = stoppedHost()
  const timers: { ms: number; tick: () => void }[] = []
  host.clock.later = (ms, tick) => {
    const timer = { ms, tick }
    if (ms >= 10_000) timers.push(timer)
    return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1))
  }
  const root = scratch()
  const cache = await openCacheOn(host, root, { strict: true })
  await release(cache.getOrCompile('a', fill))
  const lines = (): number => readFileSync(statsFile(root), 'utf8').split('\n').filter(Boolean).length
  const pauses: number[] = []
  for (let turn = 1; turn <= 7; turn++) {
    if (turn === 7) pass(3_600_000)
    await release(cache.getOrCompile('a', fill))
    await release(cache.getOrCompile('a', fill))
    expect([timers.length, lines()]).toEqual([1, turn])
    const { ms, tick } = timers.pop()!
    pauses.push(ms / 1000)
    pass(ms)
    tick()
  }
  expect(pauses).toEqual([10, 20, 40, 80, 160, 300, 10])
  expect(await cache.stats()).toMatchObject({ hits: 14, compiled: 1 })
})

test('processes that ask at once: what they got is what is counted, once they have ended', async () => {
  const root = scratch()
  const go = join(root, 'go')
  const workers = Array.from({ length: 5 }, () => start('latch'))
  await Promise.all(workers.map((worker) => worker.ask('open', root, { strict: true })))
  const asked = workers.map((worker) => worker.ask<{ outcome: string }>('compile', 'model', { until: go }))
  await until(
    'one builds, the others wait',
    () =>
      workers.filter((worker) => worker.noted('waiting')).length === 4 &&
      workers.some((worker) => worker.noted('building')),
  )
  writeFileSync(go, '')
  const outcomes = (await Promise.all(asked)).map(({ outcome }) => outcome).sort()
  expect(outcomes).toEqual(['compiled', 'waited', 'waited', 'waited', 'waited'])
  for (const worker of workers) for (let hit = 0; hit < 7; hit++) await worker.ask('compile', 'model', {})
  await workers[0]!.ask('fail', 'other', { temper: 'throw' })
  for (const worker of workers) void worker.ask('exit')
  await Promise.all(workers.map((worker) => worker.ended))
  const stats = await (await openCache(root)).stats()
  expect(stats).toMatchObject({ compiled: 1, waited: 4, hits: 35, failures: 1, private: 0, bytes: 100_000 })
  expect(stats.hitRate).toBe(39 / 40)
  expect(stats.waitedMs).toBeGreaterThan(0)
  expect(stats.savedMs).toBeGreaterThan(0)
  expect(stats.savedMs).toBeLessThanOrEqual(39 * stats.buildMs)
})

test('what was compiled privately, because the cache could not be used', async () => {
  const cache = await openCache(scratch())
  await cache.locker()
  rmSync(join(cache.root, 'v1/stage'), { recursive: true })
  writeFileSync(join(cache.root, 'v1/stage'), '')
  const entry = await cache.getOrCompile('a', fill)
  expect(entry.outcome).toBe('private')
  await entry.release()
  expect(await cache.stats()).toMatchObject({ private: 1, compiled: 0, failures: 0, hitRate: 0 })
})

test('of a process that is killed, what it has compiled is counted', async () => {
  const root = scratch()
  const worker = start('latch')
  await worker.ask('open', root)
  await worker.ask('compile', 'model', {})
  await worker.kill()
  expect(await (await openCache(root)).stats()).toMatchObject({ compiled: 1, bytes: 100_000 })
})

test('two processes that append ten thousand lines each lose none', async () => {
  const root = scratch()
  mkdirSync(join(root, 'v1'))
  const workers = [start('latch'), start('latch')]
  const go = join(root, 'go')
  const id = 'a'.repeat(64)
  const counting = workers.map((worker) => worker.ask('count', root, id, 10_000, go))
  await until('both are ready', () => workers.every((worker) => worker.noted('ready')))
  writeFileSync(go, '')
  await Promise.all(counting)
  const stats = await (await openCache(root)).stats({ byKey: true })
  expect(stats).toMatchObject({ hits: 20_000, savedMs: 9_999 * 10_000 })
  expect(stats.keys).toHaveLength(1)
  expect(readdirSync(join(root, 'v1/stats'))).toHaveLength(1)
})

test('a torn line, and lines of another origin, cost themselves only', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  await release(cache.getOrCompile('a', fill))
  const line = readFileSync(statsFile(root), 'utf8').trim()
  appendFileSync(statsFile(root), `null\n[1]\n{"at":1}\n${line.replace('"bytes":4', '"bytes":-4')}\n`)
  appendFileSync(statsFile(root), `${'x'.repeat(600_000)}\n${line}\n${line.slice(0, -9)}`)
  await release(cache.getOrCompile('b', fill))
  expect(await cache.stats()).toMatchObject({ compiled: 3, bytes: 12 })
})

describe('nothing is counted, and the work goes on, where the statistics', () => {
  const wrong: Record<string, (path: string, elsewhere: string) => void> = {
    'are a file': (path) => writeFileSync(path, ''),
    'are a link to elsewhere': (path, elsewhere) => symlinkSync(elsewhere, path),
    'are a file that nobody reads': (path) => execFileSync('mkfifo', [path]),
  }
  test.each(Object.keys(wrong))('%s', async (what) => {
    const [root, elsewhere] = [scratch(), scratch()]
    const cache = await openCache(root, { strict: true })
    await cache.locker()
    wrong[what]!(join(root, 'v1/stats'), elsewhere)
    const entry = await cache.getOrCompile('a', fill)
    expect([entry.outcome, readFileSync(join(entry.path, 'f'), 'utf8')]).toEqual(['compiled', 'four'])
    expect(readdirSync(elsewhere)).toEqual([])
  })

  test.each(Object.keys(wrong))('%s, one level below', async (what) => {
    const [root, elsewhere] = [scratch(), scratch()]
    const cache = await openCache(root, { strict: true })
    await release(cache.getOrCompile('a', fill))
    const path = statsFile(root)
    rmSync(path)
    wrong[what]!(path, elsewhere)
    await release(cache.getOrCompile('b', fill))
    expect(readdirSync(elsewhere)).toEqual([])
    expect((await cache.stats()).compiled).toBe(what === 'are a file' ? 1 : 0)
  })
})

test('a cache that was removed is not brought back by its statistics', async () => {
  const root = scratch()
  const worker = start('latch')
  await worker.ask('open', root)
  await worker.ask('compile', 'model', {})
  await worker.ask('compile', 'model', {})
  renameSync(root, `${root}-away`)
  void worker.ask('exit')
  await worker.ended
  expect(existsSync(root)).toBe(false)
})

test('gc removes statistics of more than ninety days ago, a dry run does not', async () => {
  const cache = await openCache(scratch(), { strict: true })
  await release(cache.getOrCompile('a', fill))
  const directory = join(cache.root, 'v1/stats')
  const nameOf = (daysAgo: number): string =>
    `${new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10)}.0123456789ab.0.ndjson`
  for (const name of [nameOf(100), nameOf(80), 'note']) writeFileSync(join(directory, name), '')
  await cache.gc({ dryRun: true })
  expect(readdirSync(directory)).toHaveLength(4)
  await cache.gc()
  const left = readdirSync(directory)
  expect(left).toHaveLength(3)
  expect(left).toEqual(expect.arrayContaining([nameOf(80), 'note']))
})
