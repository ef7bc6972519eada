/** Collectors among publishers and readers, and collectors that are killed: real processes. */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pMap from 'p-map'
import { describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import type { Cache } from '../../src/index.js'
import { entryPath, leftoversIn } from '../support/caches.js'
import { readCandidate, readEntry, writeCandidate } from '../support/candidate.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'

const STALE_MS = 2_000
const AT_ONCE = 8
/** How long collectors are killed among publishers and readers, in all. */
const SOAK_MS = Number(process.env['CACHELATCH_SOAK_SECONDS'] ?? 10) * 1000
/** Collectors are killed in turn, at whatever they are doing, so many milliseconds apart. */
const KILL_EVERY_MS = 250
const LEAST_KILLS = 4

const scratch = useScratch()
const startWorker = useWorkers()

interface Tally {
  done: number
  errors: string[]
}

function open(root: string, locker: string): Promise<Cache> {
  return openCache(root, { locker: locker as 'kernel', staleMs: STALE_MS, strict: true })
}

/** gc that also knows the dead on a network file system. */
const watching = (locker: string): { graceMs: number; watchMs: number } => ({
  graceMs: 0,
  watchMs: locker === 'lockfile' ? 2.5 * STALE_MS : 0,
})

describe.each([
  { locker: 'kernel', removals: 150, reads: 1_000, share: 0.7 },
  { locker: 'lockfile', removals: 30, reads: 100, share: 0.3 },
])('$locker', ({ locker, removals, reads, share }) => {
  test('two collectors, killed again and again, among publishers and readers: nothing in use is removed, nothing torn, and at last it fits', async () => {
    const root = scratch('cache')
    const gates = scratch('gates')
    const cache = await open(root, locker)
    await cache.locker()
    const start = (role: string, count: number) =>
      Array.from({ length: count }, () =>
        startWorker('upkeep', [role, root, locker, String(STALE_MS)], {
          CACHELATCH_GATE_DIR: gates,
          NODE_NO_WARNINGS: '1',
        }),
      )
    const crew = {
      publisher: start('publisher', 2),
      reader: start('reader', 3),
      collector: start('collector', 2),
    }
    const all = Object.values(crew).flat()
    await Promise.all(all.map((worker) => worker.ask('start')))
    const done = async (workers: typeof all): Promise<number[]> =>
      (await Promise.all(workers.map((worker) => worker.ask<Tally>('tally')))).map((tally) => tally.done)
    await until('enough was removed, by both, and enough read', async () => {
      const [collected, read] = [await done(crew.collector), await done(crew.reader)]
      const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0)
      return sum(collected) >= removals && Math.min(...collected) > 0 && sum(read) >= reads
    })
    // From here on one of the two is killed now and then, and another takes its place: it finds what that one left.
    const end = performance.now() + share * SOAK_MS
    let kills = 0
    while (kills < LEAST_KILLS || performance.now() < end) {
      await sleep(KILL_EVERY_MS)
      const [successor] = start('collector', 1)
      await successor!.ask('start')
      await crew.collector.shift()!.kill()
      crew.collector.push(successor!)
      kills++
    }
    const alive = Object.values(crew).flat()
    const tallies = await Promise.all(alive.map((worker) => worker.ask<Tally>('stop')))
    const [published, read] = [crew.publisher, crew.reader].map((workers) =>
      tallies
        .filter((_, index) => workers.includes(alive[index]!))
        .reduce((sum, tally) => sum + tally.done, 0),
    )
    process.stderr.write(
      `${locker}: ${published} published, ${read} read whole, ${kills} collectors killed\n`,
    )
    expect(tallies.flatMap(({ errors }) => errors)).toEqual([])

    expect(await cache.verify()).toMatchObject({ damaged: [], strangers: [] })
    const { bytes } = await cache.gc({ maxBytes: 50_000, ...watching(locker) })
    expect(bytes).toBeLessThanOrEqual(50_000)
    expect(await cache.gc({ maxBytes: 0, ...watching(locker) })).toMatchObject({ entries: 0, inUse: 0 })
    expect(leftoversIn(root)).toEqual([])
  })

  test('killed at any step, a collector is finished by the next; what is in use stays whole', async () => {
    const gates = scratch('gates')
    const env = { CACHELATCH_GATE_DIR: gates }
    process.env['CACHELATCH_GATE_DIR'] = gates
    const keys = ['used', 'one', 'two']

    const fill = async (): Promise<Cache> => {
      const cache = await open(scratch('cache'), locker)
      for (const key of keys)
        await (await cache.getOrCompile(key, ({ dir }) => writeCandidate(dir, key))).release()
      return cache
    }
    const victimFor = ({ root }: Cache, more: object = {}) => {
      const worker = startWorker('victim', [], env)
      const collected = worker.ask<{ steps: number; removed: number }>('collect', {
        root,
        locker,
        staleMs: STALE_MS,
        ...more,
      })
      return { worker, collected }
    }

    const unharmed = victimFor(await fill())
    const { steps, removed } = await unharmed.collected
    expect(removed).toBe(3)
    expect(steps).toBeGreaterThan(10)

    const numbers = Array.from({ length: steps }, (_, index) => index + 1)
    const names = await pMap(
      numbers,
      async (step) => {
        const cache = await fill()
        const sign = `${cache.root}.victim`
        const used = (await cache.get('used'))!
        const { worker, collected } = victimFor(cache, { standStillAt: step, sign })
        // What is in use takes fewer steps: the last ones are not reached.
        await Promise.race([collected.catch(() => undefined), until('the step', () => existsSync(sign))])
        await worker.kill()
        const name = existsSync(sign) ? readFileSync(sign, 'utf8') : 'the end'

        expect(readCandidate(used.path), name).toBe('used')
        for (const key of keys) expect([key, null], name).toContain(readEntry(entryPath(cache.root, key)))
        await cache.gc({ maxBytes: 0, ...watching(locker) })
        expect(readCandidate(used.path), name).toBe('used')
        for (const key of ['one', 'two']) expect(existsSync(entryPath(cache.root, key)), name).toBe(false)
        await used.release()
        expect(await cache.remove('used'), name).toBe('removed')
        expect(leftoversIn(cache.root), name).toEqual([])
        return name
      },
      { concurrency: AT_ONCE },
    )
    expect(names).toContain('before rename')
    expect(names).toContain('after rename')
  })
})
