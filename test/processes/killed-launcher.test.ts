/**
 * A launcher is killed at each step of a worker's way through a slot: leased, seeded, published, marked, given back.
 * The next worker has what was published, whole, and none of what was not; gc removes the rest.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pMap from 'p-map'
import { describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import type { Cache } from '../../src/index.js'
import { leftoversIn } from '../support/caches.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import { prepareFamily, runFamily, unitNames } from '../support/workers-of-a-family.js'

const STALE_MS = 2_000
/** Victims at a time. */
const AT_ONCE = 4

const scratch = useScratch()
const startWorker = useWorkers()

describe.each(['kernel', 'lockfile'] as const)('%s', (locker) => {
  const options = { locker, staleMs: STALE_MS }

  /** A cache with a snapshot of one unit, and no slot that ended well: so the victim is seeded. */
  async function fill(): Promise<Cache> {
    const cache = await openCache(scratch('cache'), { ...options, strict: true })
    await runFamily(cache.root, { 'family/a/kernel': 'a' }, options)
    await (await prepareFamily(cache.root, options)).ended(1)
    return cache
  }

  test('killed at any step: the next worker is warm and whole, gc removes the rest', async () => {
    const gates = scratch('gates')
    process.env['CACHELATCH_GATE_DIR'] = gates
    const startVictim = () => startWorker('victim', [], { CACHELATCH_GATE_DIR: gates })
    const order = (root: string): object => ({ root, locker, staleMs: STALE_MS })

    const unharmed = await fill()
    const steps = await startVictim().ask<number>('launch', order(unharmed.root))
    expect(unitNames(unharmed.root)).toEqual(['family/a:1', 'family/a:2', 'family/b:1'])
    expect(steps).toBeGreaterThan(40)

    const names = await pMap(
      Array.from({ length: steps }, (_, index) => index + 1),
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
        expect(published, name).toContain('family/a:1')
        const next = await prepareFamily(root, options)
        const has = (file: string): boolean => existsSync(join(next.path, file))
        expect(has('family/a/kernel'), name).toBe(true)
        expect(has('family/a/more'), name).toBe(published.includes('family/a:2'))
        expect(has('family/b/kernel'), name).toBe(published.includes('family/b:1'))
        expect(
          next.events.map(({ type }) => type),
          name,
        ).not.toContain('worker-degraded')
        await next.ended(1)

        expect(await cache.verify(), name).toMatchObject({ damaged: [], strangers: [] })
        // Of the dead, the network's lock knows after a while.
        const watchMs = locker === 'lockfile' ? 3 * STALE_MS : 0
        await cache.gc({ graceMs: 0, maxAgeMs: 0, watchMs })
        expect(leftoversIn(root), name).toEqual([])
        return name
      },
      { concurrency: AT_ONCE },
    )
    expect(names).toContain('worker: has written')
    expect(names).toContain('after rename')
    expect(names).toContain('before mkdir')
  })
})
