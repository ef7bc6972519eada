/** What long work says meanwhile: lines now and then without a terminal, nothing of short work, nothing with -q. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { describeBytes, startProgress } from '../../src/cli/progress.js'
import {
  type GcProgress,
  type SealProgress,
  type VerifyProgress,
  openCache,
  withLock,
} from '../../src/index.js'
import { runCommand, useCommands } from '../support/command.js'
import { useScratch } from '../support/scratch.js'
import { put } from '../support/shelf.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const start = useCommands()

test('gc tells what it sees and what it removes, one after the other, up to what it reports', async () => {
  const cache = await openCache(scratch(), { strict: true })
  for (const key of ['a', 'b', 'c']) await put(cache, key, 1_000, 60 * 60 * 1000)
  const told: GcProgress[] = []
  const report = await cache.gc({ maxBytes: 1_000, onProgress: (progress) => told.push(progress) })
  expect(told.map(({ step, entries, removed, toRemove }) => [step, entries, removed, toRemove])).toEqual([
    ['leftovers', 0, 0, 0],
    ['looking', 1, 0, 0],
    ['looking', 2, 0, 0],
    ['looking', 3, 0, 0],
    ['removing', 3, 0, 2],
    ['removing', 3, 1, 2],
    ['removing', 3, 2, 2],
  ])
  expect(told.at(-1)!.freedBytes).toBe(report.freedBytes)
})

test('verify tells of every megabyte and every entry, and of how much there is', async () => {
  const cache = await openCache(scratch(), { strict: true })
  await put(cache, 'large', 2.5 * 1024 * 1024)
  await put(cache, 'small', 10)
  const told: VerifyProgress[] = []
  const report = await cache.verify({ onProgress: (progress) => told.push({ ...progress }) })
  const total = 2.5 * 1024 * 1024 + 10
  expect(told.every(({ totalBytes }) => totalBytes === total)).toBe(true)
  expect(told.map(({ bytes }) => bytes)).toEqual(told.map(({ bytes }) => bytes).sort((a, b) => a - b))
  // Three pieces of the large file, one of the small one, and each entry when it is done.
  expect(told).toHaveLength(6)
  expect(told.at(-1)).toEqual({ checked: 2, damaged: 0, bytes: report.bytes, totalBytes: total })
})

test('publishing tells of every megabyte that was hashed; an abort ends it, and nothing is published', async () => {
  const cache = await openCache(scratch(), { strict: true })
  const fill = ({ dir }: { dir: string }): void => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
      writeFileSync(join(dir, name), Buffer.alloc(1024 * 1024))
  }
  const told: number[] = []
  const watch = ({ bytes, totalBytes, files }: SealProgress): void => {
    expect([totalBytes, files]).toEqual([8 * 1024 * 1024, 8])
    told.push(bytes / 1024 / 1024)
  }
  await using _entry = await cache.getOrCompile('a', fill, { onProgress: watch })
  expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8])

  const [abort, reason] = [new AbortController(), new Error('enough')]
  const aborted = cache.getOrCompile('b', fill, {
    signal: abort.signal,
    onProgress: () => abort.abort(reason),
  })
  await expect(aborted).rejects.toBe(reason)
  expect(await cache.get('b')).toBeNull()
})

test('a wait is told every ten seconds without a terminal, the first time after one; -q says nothing', async () => {
  const root = scratch()
  await withLock(join(root, 'x'), async () => {
    const [loud, quiet] = [[], ['-q']].map((more) => start(root, ['exec', 'x', ...more, '--', 'true']))
    await until('one has spoken', () => loud!.said.stderr !== '')
    expect(loud!.said.stderr).toMatch(
      /^cachelatch: waiting for pid \d+ on \S+ \(.+\) since \S+: 1 s of at most 3600 s \(--wait\)\. Lock: .+\n$/,
    )
    expect(quiet!.said.stderr).toBe('')
  })
})

test('short work says nothing', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  await put(cache, 'a', 1_000)
  for (const command of ['gc', 'verify', 'clear'])
    expect(await runCommand(root, command)).toMatchObject({ code: 0, stderr: '' })
})

test('bytes of how many', () => {
  expect(describeBytes(1.5 * 1024 ** 3, 4 * 1024 ** 3)).toBe('1.5 GB of 4 GB (37 %)')
  expect(describeBytes(0, 0)).toBe('0 B of 0 B (100 %)')
})

/** Time that the test moves. */
let said: string[] = []
beforeEach(() => void (said = []))
afterEach(() => void vi.useRealTimers())

async function progressOf(quiet: boolean): ReturnType<typeof startProgress> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0)
  return startProgress(quiet)
}
afterEach(() => void vi.restoreAllMocks())

test('without a terminal: a line every ten seconds, none once it is over', async () => {
  const progress = await progressOf(false)
  let done = 0
  progress.show(() => `${done} done`)
  vi.advanceTimersByTime(9_900)
  expect(said).toEqual([])
  done = 1
  vi.advanceTimersByTime(300)
  expect(said).toEqual(['1 done\n'])
  done = 2
  vi.advanceTimersByTime(9_000)
  expect(said).toHaveLength(1)
  vi.advanceTimersByTime(2_000)
  expect(said).toEqual(['1 done\n', '2 done\n'])
  progress.hide()
  vi.advanceTimersByTime(60_000)
  expect(said).toHaveLength(2)
})

test('work that does not let timers run is told of all the same; quiet work never', async () => {
  for (const quiet of [false, true]) {
    said = []
    const progress = await progressOf(quiet)
    progress.show(() => 'begun')
    const now = performance.now()
    vi.spyOn(performance, 'now').mockReturnValue(now + 15_000)
    progress.show(() => 'still at it')
    expect(said).toEqual(quiet ? [] : ['still at it\n'])
    progress.hide()
    vi.restoreAllMocks()
    vi.useRealTimers()
  }
})
