/**
 * A launcher is killed at each step (a share of them, unless there is time) of a worker's way through a slot: leased,
 * seeded, published, marked, given back. The next worker has what was published, whole, and none of what was not; gc
 * removes the rest.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pMap from 'p-map'
import { afterAll, describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import type { Cache } from '../../src/index.js'
import { leftoversIn } from '../support/caches.js'
import { useScratch } from '../support/scratch.js'
import { TRIES_ALL, timeBox } from '../support/time-box.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import type { WorkerProcess } from '../support/worker-process.js'
import { prepareTestWorker } from '../support/slot-workers.js'
import { leaveFiles, unitNames } from '../support/slots-on-disk.js'

const STALE_MS = 2_000
/** Victims at a time. */
const AT_ONCE = TRIES_ALL ? 8 : 4
/** Most of the time they watch for signs of life. */
const SWEEPS_AT_ONCE = 32

const scratch = useScratch()
const startWorker = useWorkers()

afterAll(() => rmSync(process.env['CACHELATCH_GATE_DIR']!, { recursive: true, force: true }))

describe.each(['kernel', 'lockfile'] as const)('%s', (locker) => {
  const options = { locker, staleMs: STALE_MS }
  const order = (root: string): object => ({ root, ...options })
  /** Of the dead, the network's lock knows after a while. */
  const all = { graceMs: 0, maxAgeMs: 0, watchMs: locker === 'lockfile' ? 3 * STALE_MS : 0 }

  async function expectGcToClean({ name, cache }: { name: string; cache: Cache }): Promise<void> {
    await cache.gc(all)
    expect(leftoversIn(cache.root), name).toEqual([])
  }

  /** Returns the way to start a victim. */
  function setScene(): () => WorkerProcess {
    // One host, and so one directory of gates, for all of a test file's process.
    process.env['CACHELATCH_GATE_DIR'] ??= mkdtempSync(join(tmpdir(), 'cachelatch-gates-'))
    const gates = process.env['CACHELATCH_GATE_DIR']
    return () => startWorker('victim', [], { CACHELATCH_GATE_DIR: gates })
  }

  async function open(): Promise<Cache> {
    return openCache(scratch('cache'), { ...options, strict: true })
  }

  /** A cache with a snapshot of one unit, and no slot that ended well: so the victim is seeded. */
  async function fill(): Promise<Cache> {
    const cache = await open()
    await leaveFiles(cache.root, { 'groups/a/kernel': 'a' }, options)
    await (await prepareTestWorker(cache.root, options)).ended(1)
    return cache
  }

  test('killed at any step: the next worker is warm and whole, gc removes the rest', async () => {
    const startVictim = setScene()

    const unharmed = await fill()
    const steps = await startVictim().ask<number>('launch', order(unharmed.root))
    expect(unitNames(unharmed.root)).toEqual(['groups/a:1', 'groups/a:2', 'groups/b:1'])
    expect(steps).toBeGreaterThan(25)

    const deaths = await pMap(
      timeBox(
        Array.from({ length: steps }, (_, index) => index + 1),
        { atLeast: 8 },
      ),
      async (step) => {
        const cache = await fill()
        const { root } = cache
        const victim = startVictim()
        const sign = `${root}.victim`
        const done = victim.ask('launch', { ...order(root), standStillAt: step, sign })
        // Records are written meanwhile, so the numbers shift by one now and then: the last may not be reached.
        await Promise.race([done, until('the step', () => existsSync(sign))])
        await victim.kill()
        const name = existsSync(sign) ? readFileSync(sign, 'utf8') : 'the end'

        const published = unitNames(root)
        expect(published, name).toContain('groups/a:1')
        const next = await prepareTestWorker(root, options)
        const has = (file: string): boolean => existsSync(join(next.path, file))
        expect(has('groups/a/kernel'), name).toBe(true)
        expect(has('groups/a/more'), name).toBe(published.includes('groups/a:2'))
        expect(has('groups/b/kernel'), name).toBe(published.includes('groups/b:1'))
        expect(
          next.events.map(({ type }) => type),
          name,
        ).not.toContain('worker-degraded')
        await next.ended(1)

        expect(await cache.verify(), name).toMatchObject({ damaged: [], strangers: [] })
        return { name, cache }
      },
      { concurrency: AT_ONCE },
    )
    await pMap(deaths, expectGcToClean, { concurrency: SWEEPS_AT_ONCE })
    if (TRIES_ALL)
      expect(deaths.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['worker: has written', 'before rename']),
      )
  })

  test('gc killed at any step of removing slot and snapshot: the next worker has what the snapshot has', async () => {
    const startVictim = setScene()
    const fillWhole = async (): Promise<Cache> => {
      const cache = await open()
      await leaveFiles(cache.root, { 'groups/a/kernel': 'a' }, options)
      return cache
    }

    const unharmed = await startVictim().ask<{ steps: number; removed: number }>(
      'collect',
      order((await fillWhole()).root),
    )
    expect(unharmed.removed).toBe(2)
    const deaths = await pMap(
      timeBox(
        Array.from({ length: unharmed.steps }, (_, index) => index + 1),
        { atLeast: 8 },
      ),
      async (step) => {
        const cache = await fillWhole()
        const { root } = cache
        const victim = startVictim()
        const sign = `${root}.victim`
        const done = victim.ask('collect', { ...order(root), standStillAt: step, sign })
        await Promise.race([done, until('the step', () => existsSync(sign))])
        await victim.kill()
        const name = existsSync(sign) ? readFileSync(sign, 'utf8') : 'the end'

        const published = unitNames(root)
        const next = await prepareTestWorker(root, options)
        // The slot goes first: it never has what the snapshot has no more.
        expect(existsSync(join(next.path, 'groups/a/kernel')), name).toBe(published.includes('groups/a:1'))
        await next.ended(1)
        return { name, cache }
      },
      { concurrency: AT_ONCE },
    )
    await pMap(deaths, expectGcToClean, { concurrency: SWEEPS_AT_ONCE })
    if (TRIES_ALL)
      expect(deaths.map(({ name }) => name)).toEqual(expect.arrayContaining(['after rename', 'before rmdir']))
  })
})
