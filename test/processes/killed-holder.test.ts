/**
 * A process is killed at each step (a share of them, unless there is time) of its way through getOrCompile, while
 * others want the same key and a reader looks all the time. It stands still at the step until the others wait for it,
 * or have gone past it.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import pMap from 'p-map'
import { describe, expect, test } from 'vitest'
import { realHost } from '../../src/host/host.js'
import { Layout } from '../../src/store/layout.js'
import { entryPath, leftoversIn, openTestCache } from '../support/caches.js'
import { readEntry } from '../support/candidate.js'
import { makeLocker } from '../support/lockers.js'
import { useScratch } from '../support/scratch.js'
import { TRIES_ALL, timeBox } from '../support/time-box.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import type { WorkerProcess } from '../support/worker-process.js'

const STALE_MS = 2_000
/** Victims at a time: under the network's lock, most of the time nobody has anything to do. */
const AT_ONCE = TRIES_ALL ? 12 : 4

const scratch = useScratch()
const startWorker = useWorkers()

interface Result {
  outcome: string
  path: string
  name: string
}

interface Scene {
  locker: string
  gates: string
  survivors: WorkerProcess[]
  reader: WorkerProcess
}

function setScene(locker: string): Scene {
  const gates = scratch('gates')
  const start = (): WorkerProcess =>
    startWorker('compiler', [locker, String(STALE_MS)], { CACHELATCH_GATE_DIR: gates })
  return { locker, gates, survivors: [start(), start()], reader: start() }
}

const startVictim = ({ gates }: Scene): WorkerProcess =>
  startWorker('victim', [], { CACHELATCH_GATE_DIR: gates })

/** Returns the name of the step and the root. */
async function killAt(step: number, scene: Scene): Promise<{ name: string; root: string }> {
  const { locker, survivors, reader } = scene
  const [root, signs] = [scratch('cache'), scratch('signs')]
  const log = `${root}.log`
  const sign = `${root}.victim`
  const path = entryPath(root, 'model')
  await reader.ask('watch', path)

  const victim = startVictim(scene)
  void victim.ask('compile', { root, locker, staleMs: STALE_MS, log, standStillAt: step, sign })
  await until(`the victim is at step ${step}`, () => existsSync(sign))
  const name = readFileSync(sign, 'utf8')
  const hadPublished = readEntry(path) !== null

  let finished = 0
  const asked = survivors.map(async (worker) => {
    const result = await worker.ask<Result>('compile', { root, key: 'model', log, signs })
    finished++
    return result
  })
  await until('the others wait, or are done', () => readdirSync(signs).length + finished >= survivors.length)
  await victim.kill()

  const results = await Promise.all(asked)
  const { looks, seen, errors } = await reader.ask<{ looks: number; seen: string[]; errors: string[] }>(
    'unwatch',
    path,
  )
  expect(errors, name).toEqual([])
  expect(looks, name).toBeGreaterThan(0)
  expect(new Set([...results.map((result) => result.name), ...seen]).size, name).toBe(1)
  const compiled = results.filter(({ outcome }) => outcome === 'compiled').length
  expect(compiled + (hadPublished ? 1 : 0), name).toBe(1)
  return { name, root }
}

async function expectGcToClean({ name, root }: { name: string; root: string }, scene: Scene): Promise<void> {
  const cache = await openTestCache(realHost(), root, { locker: scene.locker })
  await cache.gc({ graceMs: 0, watchMs: scene.locker === 'lockfile' ? 3 * STALE_MS : 0 })
  expect(leftoversIn(root), name).toEqual([])
}

describe.each(['kernel', 'lockfile'])('%s', (locker) => {
  test('killed at any step: the others finish, one build is published, no reader sees a part, gc removes the rest', async () => {
    const scene = setScene(locker)
    process.env['CACHELATCH_GATE_DIR'] = scene.gates
    const steps = await startVictim(scene).ask<number>('compile', {
      root: scratch('cache'),
      locker,
      staleMs: STALE_MS,
      log: `${scene.gates}/log`,
    })
    expect(steps).toBeGreaterThan(40)
    const numbers = Array.from({ length: steps }, (_, index) => index + 1)
    const scenes = await pMap(timeBox(numbers, { atLeast: 12 }), (step) => killAt(step, scene), {
      concurrency: AT_ONCE,
    })
    // Which of them: the owner record is written meanwhile, so the numbers of the steps shift by one now and then.
    if (TRIES_ALL)
      expect(scenes.map(({ name }) => name)).toContainEqual(
        expect.stringContaining('build: in the middle of'),
      )
    await Promise.all(scenes.map((each) => expectGcToClean(each, scene)))
  })
})

test('killed at any step of taking and releasing the lock directory: the next one gets it, gc removes the rest', async () => {
  const scene = setScene('lockfile')
  const root = scratch('cache')
  const cache = await openTestCache(realHost(), root, { locker: 'lockfile', staleMs: STALE_MS })
  await cache.locker()
  const pathOf = (step: number): string => new Layout(root).lock(`model-${step}`)
  const steps = await startVictim(scene).ask<number>('takeHeldDirectory', {}, pathOf(0))
  expect(steps).toBeGreaterThan(8)
  await pMap(
    Array.from({ length: steps }, (_, index) => index + 1),
    async (step) => {
      const [victim, sign] = [startVictim(scene), `${scene.gates}/${step}`]
      void victim.ask('takeHeldDirectory', { standStillAt: step, sign }, pathOf(step))
      await until(`the victim is at step ${step}`, () => existsSync(sign))
      await victim.kill()
      const lease = await makeLocker('lockfile without a gate').acquire(pathOf(step))
      await lease.release()
    },
    { concurrency: AT_ONCE },
  )
  await cache.gc({ graceMs: 0 })
  expect(leftoversIn(root)).toEqual([])
})
