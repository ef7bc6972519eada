/**
 * What becomes of it, plant by plant, at the places that matter: what is documented; and what neighbours have found, each
 * by itself. (neighbours.ts tries these among thousands, and in a run of all tests only some of those.) At both moments,
 * with either lock.
 */
import { truncateSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLatchError } from '../../src/core/errors.js'
import { OPERATIONS, openOf } from './operations.js'
import { placesOf } from './places.js'
import { leftIn } from '../support/tree.js'
import { missing } from '../support/needs.js'
import { planted } from './neighbours.js'
import { type Worlds, makeWorlds } from './worlds.js'

const LIKE = 'a link to its like in another cache'
const OUT = 'a link to a directory'
const FILE = 'an empty file'
const COLD_ENTRY = 'an entry that is not there'

const PRIVATE = ['private', 'ours']
const COMPILED = ['compiled', 'ours']
const HIT = ['hit', 'ours']
const NOTHING = { entries: 0, damaged: 0, leftovers: { stages: 0, trash: 0, drafts: 0 } }

/** `seen`: of what is removed, the kinds; of an error, its code. */
type Row = [operation: string, plant: string, place: string, seen: unknown]

/** Before each was mended, something outside was read, changed or removed, or a raw error came out. */
const FOUND: Row[] = [
  // Trees were removed through these.
  ['gc', LIKE, 'slots', 'UNSAFE_PATH'],
  ['gc', LIKE, 'snapshots', 'UNSAFE_PATH'],
  ['gc', LIKE, 'the slots of a namespace', 'entry unit'],
  ['gc', LIKE, 'a slot', 'entry slot unit'],
  ['gc', OUT, 'trash', 'UNSAFE_PATH'],
  ['gc', LIKE, 'entries', 'UNSAFE_PATH'],
  ['gc', LIKE, 'a shelf', 'slot unit'],
  ['clear', LIKE, 'slots', 'UNSAFE_PATH'],
  ['clear', LIKE, 'snapshots', 'UNSAFE_PATH'],
  ['clear', LIKE, 'the slots of a namespace', 'entry unit'],
  ['clear', OUT, 'trash', 'UNSAFE_PATH'],
  ['a worker', LIKE, 'slots', [['groups/g2/kernel', 'ours']]],
  ['a worker', LIKE, 'the slots of a namespace', [['groups/g2/kernel', 'ours']]],
  // What was found there was handed out, listed or counted.
  ['a hit', LIKE, 'v1', PRIVATE],
  ['a hit', LIKE, 'entries', PRIVATE],
  ['a hit', LIKE, 'a shelf', PRIVATE],
  ['a hit', LIKE, 'an entry', COMPILED],
  ['a hit', LIKE, 'the files of an entry', COMPILED],
  ['a hit without a pin', LIKE, 'v1', null],
  ['a hit without a pin', LIKE, 'a shelf', null],
  ['get', LIKE, 'the files of an entry', null],
  ['list', LIKE, 'entries', 'UNSAFE_PATH'],
  ['verify', LIKE, 'a shelf', { checked: 2, strangers: [expect.stringMatching(/entries\/e4$/)] }],
  ['stats', LIKE, 'stats', { hits: 0, compiled: 0 }],
  ['withLock', LIKE, '.cachelatch', 'UNSAFE_PATH'],
  ['writeFile', LIKE, '.cachelatch', 'UNSAFE_PATH'],
  ['writeDirectory', LIKE, '.cachelatch/v1', 'UNSAFE_PATH'],
  // Slots were seeded with it.
  ['a worker', LIKE, 'a snapshot', [['groups/g2/kernel', 'ours']]],
  ['a second worker', LIKE, 'the files of a unit', { length: 2 }],
  // Written, or appended, to what was there.
  ['a compile', LIKE, 'v1', PRIVATE],
  ['a compile', OUT, 'a shelf that is not there', PRIVATE],
  ['a compile', LIKE, 'stage', PRIVATE],
  ['a compile', LIKE, 'stats', COMPILED],
  ['a hit', LIKE, 'stats', HIT],
  ['a compile', 'a hard link', 'a file of statistics', COMPILED],
  // doctor counted what was there, told of its permissions, and could not tell of a file.
  ['a look of doctor', LIKE, 'v1', [{ length: 2 }, NOTHING]],
  ['a look of doctor', 'a hard link', 'v1', [{ length: 2 }, NOTHING]],
  ['a look of doctor', OUT, 'stage', [{ length: 8 }, { entries: 1, leftovers: NOTHING.leftovers }]],
]

/** Names were read through them, of locks and pins. */
const FOUND_OF_NETWORK_LOCKS: Row[] = [
  ['a compile', OUT, 'a held directory', PRIVATE],
  ['withLock', OUT, 'a held directory of .cachelatch', 'UNSAFE_PATH'],
  ['gc', OUT, 'a pin', 'UNSAFE_PATH'],
  ['remove', OUT, 'a closing mark', 'UNSAFE_PATH'],
  ['a hit', OUT, 'a closing mark', PRIVATE],
]

const LINKS = [OUT, 'a link to a file', 'a link to nowhere', 'a link to itself']
const DIRECTORIES = ['an empty directory', 'a directory of other things']
const SPECIAL = ['a FIFO', 'a socket']

const all = (operation: string, plants: string[], place: string, seen: unknown): Row[] =>
  plants.map((plant) => [operation, plant, place, seen])

const DOCUMENTED: Row[] = [
  ...all('a compile, strictly', [...LINKS, ...SPECIAL, ...DIRECTORIES, FILE], COLD_ENTRY, COMPILED),
  ...all('a hit', [...LINKS, ...SPECIAL, ...DIRECTORIES, FILE], 'a manifest', COMPILED),
  // A record is replaced, never written through.
  ...all('a compile, strictly', LINKS, 'an owner record', COMPILED),
  ...all('a compile, strictly', LINKS, 'an attempt that is not there', COMPILED),
  ...all('writeFile', [...LINKS, ...SPECIAL, FILE], 'what is written to', 'ours'),
  ...all('writeFile', DIRECTORIES, 'what is written to', 'TARGET_UNUSABLE'),
  ...all(
    'writeDirectory',
    [...LINKS, ...SPECIAL, FILE],
    'the directory that is written to',
    'TARGET_UNUSABLE',
  ),
]

const NO_LOCK_FILE = [...LINKS, ...SPECIAL, ...DIRECTORIES]
const DOCUMENTED_OF_KERNEL_LOCKS: Row[] = [
  ...all('a compile', NO_LOCK_FILE, 'a lock file', PRIVATE),
  ...all('a compile, strictly', NO_LOCK_FILE, 'a lock file', 'UNSAFE_PATH'),
  ...all('withLock', NO_LOCK_FILE, 'a lock file of .cachelatch', 'UNSAFE_PATH'),
  ...all('writeFile', NO_LOCK_FILE, 'a lock file of .cachelatch', 'UNSAFE_PATH'),
]

const ROWS = {
  kernel: [...FOUND, ...DOCUMENTED, ...DOCUMENTED_OF_KERNEL_LOCKS],
  lockfile: [...FOUND, ...FOUND_OF_NETWORK_LOCKS, ...DOCUMENTED],
}

describe.skipIf(missing('linux')).each(['kernel', 'lockfile'] as const)('with the %s lock,', (locker) => {
  let worlds: Worlds
  beforeAll(async () => {
    // All of them expected.
    process.removeAllListeners('warning')
    worlds = await makeWorlds(locker, 1)
  })
  afterAll(() => worlds.remove())

  test.each(ROWS[locker])('%s: %s at %s', async (operation, plant, place, seen) => {
    const [world] = worlds.all
    for (const open of [false, true]) {
      const cache = await planted(world!, { place, plant, open })
      const outcome = await OPERATIONS[operation]!(world!, cache).then(shortened, codeOf)
      if (typeof seen === 'object' && seen !== null) expect(outcome).toMatchObject(seen)
      else expect(outcome).toBe(seen)
      expect(world!.hasOutsideChanged()).toBe(false)
      if (seen === COMPILED) expect(leftIn(world!.root)).toEqual([])
    }
  })
})

function shortened(result: unknown): unknown {
  const { removed } = (result ?? {}) as { removed?: { kind: string }[] }
  return removed === undefined ? result : [...new Set(removed.map(({ kind }) => kind))].sort().join(' ')
}

function codeOf(error: unknown): string {
  if (!isLatchError(error)) throw error
  return error.code
}

test('statistics of a terabyte without an end of line are given up', async () => {
  const worlds = await makeWorlds('kernel', 1)
  try {
    const [world] = worlds.all
    const { path } = placesOf(world!).find(({ name }) => name === 'a file of statistics')!
    truncateSync(path, 1024 ** 4)
    const cache = await openOf(world!)
    // What stands before it counts.
    expect(await cache.stats()).toMatchObject({ compiled: 1 })
  } finally {
    worlds.remove()
  }
})
