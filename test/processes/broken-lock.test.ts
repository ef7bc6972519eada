/** Principle 1: with a lock that excludes nobody, work is done twice, and nothing else happens. */
import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { realHost } from '../../src/host/host.js'
import { entryPath, leftoversIn, openTestCache } from '../support/caches.js'
import { readEntry } from '../support/candidate.js'
import { useScratch } from '../support/scratch.js'
import { useWorkers } from '../support/use-workers.js'

const WRITERS = 32
const ROUNDS = 5

const scratch = useScratch()
const startWorker = useWorkers()

interface Sight {
  looks: number
  seen: string[]
  errors: string[]
}

test('32 processes build one key at once, each its own candidate: everybody sees one of them, whole, and no error', async () => {
  const [root, signs] = [scratch('cache'), scratch('signs')]
  const writers = Array.from({ length: WRITERS }, () => startWorker('compiler', ['nobody']))
  const readers = [startWorker('compiler', ['nobody']), startWorker('compiler', ['nobody'])]
  for (let round = 1; round <= ROUNDS; round++) {
    const key = `model ${round}`
    const order = { root, key, log: `${signs}/log`, signs: `${signs}/${round}`, signBuild: true }
    mkdirSync(order.signs)
    const path = entryPath(root, key)
    await Promise.all(readers.map((reader) => reader.ask('watch', path)))
    // No build ends before all have begun.
    const asked = writers.map((writer) =>
      writer.ask<{ outcome: string; path: string; name: string }>('compile', {
        ...order,
        awaitSigns: WRITERS,
      }),
    )
    const results = await Promise.all(asked)
    const sights = await Promise.all(readers.map((reader) => reader.ask<Sight>('unwatch', path)))

    const final = readEntry(path)
    expect(results.map(({ outcome }) => outcome)).toEqual(results.map(() => 'compiled'))
    expect(new Set([...results.map(({ name }) => name), final])).toEqual(new Set([final]))
    expect(sights.flatMap(({ errors }) => errors)).toEqual([])
    expect(new Set([...sights.flatMap(({ seen }) => seen), final])).toEqual(new Set([final]))
    expect(Math.min(...sights.map(({ looks }) => looks))).toBeGreaterThan(0)
  }
  await (await openTestCache(realHost(), root, { locker: 'nobody' })).gc({ graceMs: 0 })
  expect(leftoversIn(root)).toEqual([])
})
