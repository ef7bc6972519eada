/** What is told on the diagnostics channel, and what goes out as a warning without having been asked for. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type LatchEvent, type Wait, openCache, withLock } from '../../src/index.js'
import { useEvents } from '../support/events.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const events = useEvents()
const warnings: (Error & { code?: string })[] = []
const keep = (warning: Error): void => void warnings.push(warning)
process.on('warning', keep)
afterEach(() => void warnings.splice(0))

const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'four')
const countOf = (type: LatchEvent['type']): number => events(type).length

test('a compile and a hit are told from start to end', async () => {
  const cache = await openCache(scratch())
  const entry = await cache.getOrCompile({ b: 1, a: 2 }, fill)
  await cache.getOrCompile({ a: 2, b: 1 }, fill)
  const key = '{"a":2,"b":1}'
  const time = expect.any(Number) as number
  expect(events('build-started')).toMatchObject([{ key, stage: expect.stringContaining('/v1/stage/') }])
  expect(events('published')).toMatchObject([{ key, bytes: 4, ours: true, buildMs: time, publishMs: time }])
  expect(events('obtained')).toMatchObject([
    { key, path: entry.path, outcome: 'compiled', elapsedMs: time },
    { key, path: entry.path, outcome: 'hit', elapsedMs: time },
  ])
  expect(countOf('degraded') + countOf('damaged') + countOf('build-failed')).toBe(0)
})

test('a build that fails is told with its error', async () => {
  const cache = await openCache(scratch())
  const error = new Error('no')
  await expect(cache.getOrCompile(1, () => Promise.reject(error))).rejects.toBe(error)
  expect(events('build-failed')).toMatchObject([{ key: '1', error }])
  expect(countOf('published') + countOf('obtained')).toBe(0)
})

test('waiting is told with who holds the lock: to onWait where there is one, else as a warning', async () => {
  const path = join(scratch(), 'p')
  let letGo = (): void => undefined
  const holding = withLock(path, () => new Promise<void>((resolve) => (letGo = resolve)))
  const told: Wait[] = []
  const asked = withLock(path, () => undefined, { onWait: (wait) => told.push(wait) })
  const silent = withLock(path, () => undefined, { timeoutMs: 60_000 })
  await until('both have said so', () => told.length > 0 && warnings.length > 0)
  letGo()
  await Promise.all([holding, asked, silent])
  expect(told[0]).toMatchObject({ verdict: 'alive', owner: { pid: process.pid } })
  expect(warnings).toMatchObject([
    {
      name: 'CachelatchWarning',
      code: 'CACHELATCH_WAITING',
      message: expect.stringMatching(new RegExp(`pid ${process.pid}.*at most 60 s \\(timeoutMs\\)`)),
    },
  ])
})

test('a wait is told from its begin to its end, before anybody is bothered with it; a free lock has none', async () => {
  const path = join(scratch(), 'p')
  let letGo = (): void => undefined
  const holding = withLock(path, () => new Promise<void>((resolve) => (letGo = resolve)))
  await until('it is held', () => countOf('locked') === 1)
  const bothered: Wait[] = []
  const asked = withLock(path, () => undefined, { onWait: (wait) => bothered.push(wait) })
  const botheredBefore = await until('it waits', () => countOf('waiting') > 0 && { times: bothered.length })
  expect(botheredBefore).toEqual({ times: 0 })
  expect(countOf('wait-ended')).toBe(0)
  letGo()
  await Promise.all([holding, asked])
  const lock = events('locked')[0]!.path
  expect(events('waiting')[0]).toMatchObject({ path: lock, target: path })
  expect(events('wait-ended')).toEqual([{ type: 'wait-ended', path: lock, target: path, got: true }])
  expect([countOf('locked'), countOf('unlocked')]).toEqual([2, 2])
})

test('a wait that is given up is told as well; trying once is no wait', async () => {
  const path = join(scratch(), 'p')
  let letGo = (): void => undefined
  const holding = withLock(path, () => new Promise<void>((resolve) => (letGo = resolve)))
  await until('it is held', () => countOf('locked') === 1)
  await expect(withLock(path, () => undefined, { timeoutMs: 0 })).rejects.toThrow(/Gave up/)
  expect(countOf('waiting')).toBe(0)
  const abort = new AbortController()
  const asked = withLock(path, () => undefined, { signal: abort.signal })
  await until('it waits', () => countOf('waiting') > 0)
  abort.abort(new Error('enough'))
  await expect(asked).rejects.toThrow('enough')
  expect(events('wait-ended')).toMatchObject([{ got: false }])
  letGo()
  await holding
})

test('a waiter for a build is told the key, and an entry that is let go of its path', async () => {
  const cache = await openCache(scratch())
  let build = (): void => undefined
  const building = cache.getOrCompile('k', async (stage) => {
    await new Promise<void>((resolve) => (build = resolve))
    fill(stage)
  })
  await until('it is built', () => countOf('build-started') === 1)
  const waiting = cache.getOrCompile('k', fill)
  await until('it waits', () => countOf('waiting') > 0)
  build()
  const entries = await Promise.all([building, waiting])
  expect(events('wait-ended')).toMatchObject([{ key: '"k"', got: true }])
  expect(countOf('released')).toBe(0)
  for (const entry of entries) await Promise.all([entry.release(), entry.release()])
  expect(events('released').map(({ path }) => path)).toEqual(entries.map(({ path }) => path))
})

test('a cache that cannot be used, and a damaged entry, are warnings as well', async () => {
  const file = join(scratch(), 'file')
  writeFileSync(file, '')
  const entry = await (await openCache(file)).getOrCompile(1, fill)
  await entry.release()
  const cache = await openCache(scratch())
  const good = await cache.getOrCompile(1, fill)
  writeFileSync(join(good.path, 'f'), 'longer than four')
  await cache.getOrCompile(1, fill)
  await until('both have been said', () => warnings.length === 2)
  expect(warnings.map(({ code }) => code)).toEqual(['CACHELATCH_DEGRADED', 'CACHELATCH_DAMAGED'])
  expect(warnings[1]!.message).toContain('16 bytes instead of 4')
})

test('keys of any shape lead to entries below the root, each to its own', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  const keys = [
    '../../../x',
    '..',
    '/etc/passwd',
    'a\0b',
    '\ud800',
    '\udfff',
    '',
    'ü',
    'u\u0308',
    null,
    [],
    {},
    'x'.repeat(70_000),
  ]
  const paths = new Set<string>()
  for (const key of keys) {
    const { path } = await cache.getOrCompile(key, fill)
    expect(path).toMatch(/\/v1\/entries\/[0-9a-f]{2}\/[0-9a-f]{64}\/files$/)
    expect(path.startsWith(`${root}/v1/entries/`)).toBe(true)
    paths.add(path)
  }
  expect(paths.size).toBe(keys.length)
})
