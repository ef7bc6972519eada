/** Compile once: however many processes ask, one builds. */
import { mkdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openTestCache, leftoversIn } from '../support/caches.js'
import { realHost } from '../../src/host/host.js'
import { useScratch } from '../support/scratch.js'
import { TRIES_ALL } from '../support/time-box.js'
import { useWorkers } from '../support/use-workers.js'

const ROUNDS = TRIES_ALL ? 20 : 5

const scratch = useScratch()
const startWorker = useWorkers()

interface Result {
  outcome: string
  path: string
  name: string
}

function startWorkers(count: number, locker: string, gates: string) {
  return Array.from({ length: count }, () =>
    startWorker('compiler', [locker], { CACHELATCH_GATE_DIR: gates }),
  )
}

const linesIn = (log: string): string[] => readFileSync(log, 'utf8').trimEnd().split('\n')
function countOf(items: string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1
  return counts
}

describe.each(['kernel', 'lockfile'])('%s', (locker) => {
  test(`of 32 processes that ask for one cold key, one builds and 31 wait, ${ROUNDS} times`, async () => {
    const [root, signs] = [scratch('cache'), scratch('signs')]
    const workers = startWorkers(32, locker, scratch('gates'))
    for (let round = 1; round <= ROUNDS; round++) {
      const order = { root, key: `model ${round}`, log: `${signs}/${round}.log`, signs: `${signs}/${round}` }
      mkdirSync(order.signs)
      // The build ends when all others have said that they wait.
      const asked = workers.map((worker) => worker.ask<Result>('compile', { ...order, awaitSigns: 31 }))
      const results = await Promise.all(asked)
      expect(countOf(results.map(({ outcome }) => outcome))).toEqual({ compiled: 1, waited: 31 })
      expect(new Set(results.map(({ path, name }) => `${path} ${name}`)).size).toBe(1)
      expect(linesIn(order.log)).toEqual(
        [`started ${order.key}`, `done ${order.key}`].map((line) => `${line} ${results[0]!.name}`),
      )
    }
    await (await openTestCache(realHost(), root, { locker })).gc({ graceMs: 0 })
    expect(leftoversIn(root)).toEqual([])
  })

  test('of 16 processes that ask for 200 keys, each in another order, each key is built once', async () => {
    const [root, log] = [scratch('cache'), `${scratch('log')}/builds`]
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`)
    const workers = startWorkers(16, locker, scratch('gates'))
    const results = await Promise.all(
      workers.map((worker, index) => {
        const start = Math.floor((index * keys.length) / workers.length)
        return worker.ask<Result[]>('compileAll', { root, log }, [
          ...keys.slice(start),
          ...keys.slice(0, start),
        ])
      }),
    )
    const started = linesIn(log).filter((line) => line.startsWith('started'))
    expect(countOf(started.map((line) => line.split(' ')[1]!))).toEqual(
      Object.fromEntries(keys.map((key) => [key, 1])),
    )
    expect(new Set(results.flat().map(({ path, name }) => `${path} ${name}`)).size).toBe(200)
    expect(countOf(results.flat().map(({ outcome }) => outcome))).toMatchObject({ compiled: 200 })
  })
})
