/**
 * Another user of a shared directory plants things at every place that the library touches, before a process comes or
 * after it has opened the cache. Whatever is done then, nothing leads out of the cache: what is outside is neither read,
 * nor changed, nor removed; the operation ends, well or with an error that says what to do.
 *
 * All of it is tried, 18 000 cases with either lock. What makes that a matter of minutes: worlds lie in memory; what
 * only reads is tried one after the other in one world; several worlds share a process, for the waits (a planted lock
 * is waited for until the time limit) of one are the work of another; each lock has a test file, and so a core.
 */
import { isLatchError } from '../../src/core/errors.js'
import type { Cache } from '../../src/latch/cache.js'
import { timeBox } from '../support/time-box.js'
import { OPERATIONS, ROUNDS, openOf } from './operations.js'
import { type Place, placesOf } from './places.js'
import { PLANTS, plantAt } from './plants.js'
import { type LockerName, THEIRS, type World } from './world.js'
import { makeWorlds } from './worlds.js'

/** Only ends what has failed already. */
const LIMIT_MS = 60_000

const WORLDS = 6

interface Case {
  place: string
  plant: string
  operations: readonly string[]
  /** The cache was opened before the plant. */
  open: boolean
}

/** Resolves to what is wrong, in words. */
export async function tryAll(locker: LockerName): Promise<string[]> {
  // Thousands of them, all expected.
  process.removeAllListeners('warning')
  const worlds = await makeWorlds(locker, WORLDS)
  try {
    // All worlds take their next case from the same list.
    const cases = timeBox(casesOf(placesOf(worlds.all[0]!)), { atLeast: 30 })
    const problems: string[] = []
    const work = async (world: World): Promise<void> => {
      for (const each of cases) problems.push(...(await tryOne(world, each)))
    }
    await Promise.all(worlds.all.map(work))
    return problems
  } finally {
    worlds.remove()
  }
}

function casesOf(places: Place[]): Case[] {
  return places.flatMap(({ name, kind }) =>
    Object.keys(PLANTS).flatMap((plant) =>
      ROUNDS[kind].flatMap((operations) =>
        [false, true].map((open) => ({ place: name, plant, operations, open })),
      ),
    ),
  )
}

/** A world as new, with the plant in it. */
export async function planted(
  world: World,
  { place, plant, open }: Omit<Case, 'operations'>,
): Promise<Cache> {
  world.renew()
  const cache = await openOf(world)
  if (open) await cache.locker()
  plantAt(
    placesOf(world).find(({ name }) => name === place)!,
    PLANTS[plant]!,
    world,
  )
  return cache
}

/** What is wrong with what came out, in words. */
async function tryOne(world: World, { operations, ...scene }: Case): Promise<string[]> {
  const cache = await planted(world, scene)
  const where = `${scene.plant} at ${scene.place}${scene.open ? ', opened before' : ''}`
  const problems: string[] = []
  for (const operation of operations) {
    const problem = await problemOf(operation, world, cache)
    if (problem !== null) problems.push(`${operation}, ${where}: ${problem}`)
  }
  if (world.hasOutsideChanged())
    problems.push(`${operations.join()}, ${where}: what is outside was read, or has changed`)
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
