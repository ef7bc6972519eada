/**
 * Many processes do all that the library can, at random, on small disks, one with each locker. They are killed,
 * stopped for longer than their locks last, and run out of room; a witness that shares nothing with the library hears
 * who is inside which lock, and looks at all that is published.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openCache } from '../../src/index.js'
import { leftovers } from '../../test/support/checker.js'
import { mulberry32 } from '../../test/support/random.js'
import { Crew, type Kills } from './crew.js'
import { STALE_MS, openOptions } from './work.js'
import { type Place, type World, empty, fill, makePlace } from './worlds.js'

export interface SoakOptions {
  seconds: number
  processes: number
  seed: number
  /** Small disks of their own, to be filled: root only. */
  ownDisks: boolean
  /** Called now and then. */
  onProgress?: (text: string) => void
}

export interface SoakReport {
  operations: Record<string, number>
  kills: Kills
  fills: number
  stays: number
  looks: number
  violations: string[]
}

/** All that was begun ends within it, once nobody is killed any more. */
const LAST_WORDS_MS = 120_000
/** Stays for a day, where the last build of a key was killed: three such in a row are enough. */
const LAST_BUILD = /^v1\/attempts\/[0-9a-f]{64}\.json$/
const TELL_EVERY_MS = 30_000

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const place = makePlace(options.ownDisks)
  const clear = (): void => place.clear()
  process.once('exit', clear)
  try {
    return await soakIn(place, options)
  } finally {
    process.off('exit', clear)
    clear()
  }
}

async function soakIn(place: Place, options: SoakOptions): Promise<SoakReport> {
  const crew = await Crew.gather(place, options.seed)
  try {
    const fills = await torment(crew, place, options)
    const violations = await bringHome(crew)
    const { operations, stays, looks, violations: seen } = await crew.account()
    violations.push(...seen, ...(crew.said === '' ? [] : [`a worker broke down: ${crew.said}`]))
    for (const world of place.worlds) violations.push(...(await lookAtTheEnd(world)))
    return { operations, kills: crew.kills, fills, stays, looks, violations }
  } finally {
    crew.end()
  }
}

/** Returns how often a disk was full. */
async function torment(crew: Crew, place: Place, options: SoakOptions): Promise<number> {
  const random = mulberry32(options.seed)
  const end = performance.now() + options.seconds * 1000
  let fills = 0
  let toldAt = performance.now()
  // On a busy machine, until there is something to be seen.
  while (performance.now() < end || !(await hasSeen(crew))) {
    while (crew.size < options.processes) crew.start()
    await sleep(random() * 800)
    const fate = random()
    if (fate < 0.5) crew.kill(random())
    else if (fate < 0.7) crew.stop(random(), random() ** 2 * 4 * STALE_MS)
    else if (fate < 0.8) crew.killHelper(random())
    else if (fate < 0.83) fills += await fillFor(place, random(), random() * 2_000)
    if (performance.now() - toldAt < TELL_EVERY_MS) continue
    toldAt = performance.now()
    const { operations, violations } = await crew.account()
    options.onProgress?.(`${sumOf(operations)} operations, ${violations.length} violations`)
  }
  return fills
}

async function hasSeen(crew: Crew): Promise<boolean> {
  const { stays, looks } = await crew.account()
  return Math.min(stays, looks, crew.kills.workers) > 0
}

async function fillFor({ worlds }: Place, chance: number, ms: number): Promise<number> {
  const { filler } = worlds[Math.floor(chance * worlds.length)]!
  if (filler === null) return 0
  fill(filler)
  await sleep(ms)
  empty(filler)
  return 1
}

/** Nothing waits without bound: whoever does not come to an end is a violation. */
async function bringHome(crew: Crew): Promise<string[]> {
  const end = performance.now() + LAST_WORDS_MS
  while (crew.size > 0 && performance.now() < end) {
    // Also those who were only just started.
    crew.tellToStop()
    await sleep(100)
  }
  if (crew.size === 0) return []
  const { doing } = await crew.account()
  return doing.map(
    ({ pid, operation, forMs }) => `${pid} hangs in '${operation}' for ${Math.round(forMs)} ms`,
  )
}

/** A fresh process of nobody's making finds all of it whole, can remove all of it, and leaves nothing. */
async function lookAtTheEnd(world: World): Promise<string[]> {
  const cache = await openCache(world.root, { ...openOptions(world), strict: true })
  const { damaged, strangers } = await cache.verify({ quarantine: true })
  const bad = damaged.filter(({ key }) => !key?.includes('damaged-'))
  const books = await openCache(`${world.beside}/.cachelatch`, { ...openOptions(world), strict: true })
  const violations = [...bad, ...strangers].map((what) => `at the end: ${JSON.stringify(what)}`)
  for (const each of [cache, books]) {
    const report = await each.gc({ maxBytes: 0, graceMs: 0, watchMs: 3 * STALE_MS })
    if (report.inUse > 0 || report.entries > 0)
      violations.push(`${world.locker}: after the last gc, ${JSON.stringify(report)}`)
    const left = leftovers(each.root).filter((path) => !LAST_BUILD.test(path))
    violations.push(...left.map((path) => `${world.locker}: left over: ${path}`))
  }
  return violations
}

export function sumOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
