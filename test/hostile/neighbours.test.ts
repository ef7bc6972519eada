/**
 * Another user of a shared directory plants things at every place that the library touches, before a process comes or
 * after it has opened the cache. Whatever is done then, nothing leads out of the cache: what is outside is neither read,
 * nor changed, nor removed; the operation ends, well or with an error that says what to do.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isLatchError } from '../../src/core/errors.js'
import { missing } from '../support/needs.js'
import { timeBox } from '../support/time-box.js'
import type { Cache } from '../../src/latch/cache.js'
import { OPERATIONS, ROUNDS, openOf } from './operations.js'
import { type Place, placesOf } from './places.js'
import { PLANTS, plantAt } from './plants.js'
import { THEIRS, World } from './world.js'

/** Only ends what has failed already. */
const LIMIT_MS = 60_000

/** Thousands of worlds are made and thrown away: in memory, where there is some. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

interface Case {
  place: Place
  plant: string
  operations: string[]
  /** The cache was opened before the plant. */
  open: boolean
}

describe.skipIf(missing('linux', 'python3'))('nothing leads out of the cache:', () => {
  let base: string
  beforeAll(() => {
    base = realpathSync(mkdtempSync(join(MEMORY, 'cachelatch-hostile-')))
    // Thousands of them, all expected.
    process.removeAllListeners('warning')
  })
  afterAll(() => rmSync(base, { recursive: true, force: true }))

  test.each(['kernel', 'lockfile'] as const)('with the %s lock', async (locker) => {
    const world = await World.build(join(base, locker), locker)
    world.renew()
    const problems: string[] = []
    for (const each of timeBox(casesOf(placesOf(world)), { atLeast: 30 }))
      problems.push(...(await tryOne(world, each)))
    expect(problems).toEqual([])
  })
})

function casesOf(places: Place[]): Case[] {
  return places.flatMap((place) =>
    Object.keys(PLANTS).flatMap((plant) =>
      ROUNDS[place.kind].flatMap((operations) =>
        [false, true].map((open) => ({ place, plant, operations, open })),
      ),
    ),
  )
}

/** What is wrong with what came out, in words. */
async function tryOne(world: World, { place, plant, operations, open }: Case): Promise<string[]> {
  const before = world.renew()
  const cache = await openOf(world)
  if (open) await cache.locker()
  plantAt(place, PLANTS[plant]!, world)
  const problems: string[] = []
  for (const operation of operations) {
    const problem = await problemOf(operation, world, cache)
    const scene = `${operation}, ${plant} at ${place.name}${open ? ', opened before' : ''}`
    if (problem !== null) problems.push(`${scene}: ${problem}`)
  }
  if (world.witness() !== before)
    problems.push(`${operations.join()}, ${plant} at ${place.name}: what is outside has changed`)
  return problems
}

async function problemOf(operation: string, world: World, cache: Cache): Promise<string | null> {
  try {
    const result = await inTime(OPERATIONS[operation]!(world, cache))
    const text = JSON.stringify(result) ?? ''
    if (text.includes(THEIRS)) return `it has come by ${text}`
  } catch (error) {
    if (!isLatchError(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
    if (!/\w/.test(error.hint)) return `${error.code} has no hint`
    if (error.message.includes(THEIRS)) return `it says ${error.message}`
  }
  return 'polluted' in {} ? 'a prototype is polluted' : null
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), LIMIT_MS)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
