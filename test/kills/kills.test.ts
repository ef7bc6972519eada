/**
 * A real process is killed at the n-th system call of an operation, for every n: what lies on disk then is checked by
 * code that knows the documented form only, a fresh worker goes on, and gc removes the rest.
 *
 * The calls are those that a first run has made. A call is met again by its thread, its name, and how many of that
 * name went before it. Some runs differ by a call or two, such as where a record is written after a time: the place of
 * death tells, and what nobody has died at is aimed at again, a little off.
 */
import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import pMap from 'p-map'
import { expect, test } from 'vitest'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { TRIES_ALL, timeBox } from '../support/time-box.js'
import { useWorkers } from '../support/use-workers.js'
import { checkCache, checkDirectory, checkFile, leftovers } from '../support/checker.js'
import { type LockerName, type Place, sweep } from './operation.js'
import { OPERATIONS, PLANTED_BYTES } from './operations.js'
import { type Case, type Death, Theatre } from './scene.js'

/** Most of the time they have nothing to do: they let their lock files be closed, or wait for a heart that stopped. */
const AT_ONCE = 8
const SWEEPS_AT_ONCE = 64
/** Operations, where there is no time for all cases: a rehearsal costs as much as three of them. */
const REHEARSED_OF_A_SHARE = 12
/** How far off a call is aimed at again. */
const OFFSETS = [0, 1, -1]
/**
 * Of all calls. How many files are opened before some of them depends on how many processes this machine runs: a slot
 * is claimed, and published from, after a look at all of /proc.
 */
const MAY_MISS = 0.06

const scratch = useScratch()
const startWorker = useWorkers()

test.skipIf(missing('linux', 'strace'))(
  'killed at any system call: nothing partial under any name, a fresh worker goes on at once, gc removes the rest',
  async () => {
    const gates = (process.env['CACHELATCH_GATE_DIR'] = scratch())
    const theatre = new Theatre({ scratch, startWorker, gates })
    const rehearsals = await pMap(
      timeBox(OPERATIONS_BY_LOCKER, { atLeast: TRIES_ALL ? Infinity : REHEARSED_OF_A_SHARE, budgetMs: 0 }),
      ({ locker, operation }) => theatre.rehearse(locker, operation),
      { concurrency: AT_ONCE },
    )
    const cases = rehearsals.flat()
    const die = (each: Case): Promise<Death> => dieAndGoOn(theatre, each)
    const deaths = await pMap(timeBox(cases), die, { concurrency: AT_ONCE })
    for (const offset of TRIES_ALL ? OFFSETS : []) {
      const again = missed(cases, deaths).map((each) => shifted(each, offset))
      process.stderr.write(`at ${again.length} nobody has died; ${offset} off\n`)
      deaths.push(...(await pMap(again, die, { concurrency: AT_ONCE })))
    }
    process.stderr.write(`killed ${deaths.length} times, at ${new Set(deaths.map(nameOf)).size} places\n`)
    const notMet = TRIES_ALL ? missed(cases, deaths) : []
    for (const each of notMet) process.stderr.write(`not met: ${aimOf(each)}\n`)
    expect(notMet.length).toBeLessThan(MAY_MISS * cases.length)
    await pMap(deaths, expectGcToClean, { concurrency: SWEEPS_AT_ONCE })
  },
)

const OPERATIONS_BY_LOCKER = (Object.keys(OPERATIONS) as LockerName[]).flatMap((locker) =>
  Object.keys(OPERATIONS[locker]).map((operation) => ({ locker, operation })),
)

async function dieAndGoOn(theatre: Theatre, each: Case): Promise<Death> {
  const death = await theatre.kill(each)
  const { locker, operation, place } = death
  try {
    check(place)
    const { keeps, goOn } = OPERATIONS[locker][operation]!
    if (keeps?.(place) === false) throw new Error('What was published before is lost')
    await goOn(place)
    check(place)
  } catch (error) {
    throw new Error(nameOf(death), { cause: error })
  }
  return death
}

function check({ root, file, directory }: Place): void {
  checkCache(root, (entry) => isPlanted(join(entry, 'files/kernel.bin')))
  checkFile(file)
  checkDirectory(directory)
}

const isPlanted = (file: string): boolean => existsSync(file) && statSync(file).size === PLANTED_BYTES

/**
 * The record of who has a lock, where gc itself was starved for as long as it takes to lose the lock of the dead: it may
 * be a successor's by then, so it is the next gc's.
 */
const OF_A_LOST_LOCK = /\.owner\.json$/

async function expectGcToClean(death: Death): Promise<void> {
  const { root, file } = death.place
  for (const books of [root, join(file, '../.cachelatch')]) {
    if (!existsSync(books)) continue
    await sweep(books, death.locker)
    const left = leftovers(books)
    expect(
      left.filter((path) => !OF_A_LOST_LOCK.test(path)),
      nameOf(death),
    ).toEqual([])
    if (left.length > 0) await sweep(books, death.locker)
    expect(leftovers(books), nameOf(death)).toEqual([])
  }
  // Two thousand of them would be too much for the end of the test.
  rmSync(join(root, '..'), { recursive: true })
}

/** Calls at which nobody has died yet. */
function missed(cases: Case[], deaths: Death[]): Case[] {
  const places = new Set(deaths.map(nameOf))
  return cases.filter((each) => !places.has(aimOf(each)))
}

const aimOf = ({ locker, operation, call }: Case): string => nameOf({ locker, operation, at: call.place })

const shifted = ({ call, ...rest }: Case, by: number): Case => ({
  ...rest,
  call: { ...call, nth: Math.max(1, call.nth + by) },
})

function nameOf({ locker, operation, at }: Pick<Death, 'locker' | 'operation' | 'at'>): string {
  return `${locker}, ${operation}, killed at: ${at ?? 'its end'}`
}
