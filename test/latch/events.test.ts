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
