/**
 * The commands that only look, in a cache in which a neighbour has planted things: they end, with a report or with an
 * error that says what to do; they read and change nothing outside, and say nothing of it.
 *
 * All plants at all places, for all of them but doctor. That tries the file system and its locks for a second, in a
 * directory of a random name that it makes in the cache's root; what it does in the cache itself is among the operations
 * of neighbours.ts. So here it meets every plant at the places on which its order of things depends.
 */
import { expect, test } from 'vitest'
import { missing } from '../support/needs.js'
import { timeBox } from '../support/time-box.js'
import { CommandClient, type Said } from './command-client.js'
import { planted } from './neighbours.js'
import { placesOf } from './places.js'
import { PLANTS } from './plants.js'
import { type LockerName, THEIRS, type World } from './world.js'
import { makeWorlds } from './worlds.js'

const LOOKING = [
  ['ls'],
  ['ls', '--json'],
  ['ls', '--snapshots', '--json'],
  ['status', '--json'],
  ['stats', '--by-key', '--json'],
  ['verify', '--json'],
  ['gc', '--max-size', '1', '--grace', '0s', '--dry-run', '--json'],
]
const DOCTOR = [['doctor', '--json']]
const DOCTORS_PLACES = new Set(['v1', 'format.json', 'stage', 'entries'])

test.skipIf(missing('linux', 'python3')).each(['kernel', 'lockfile'] as const)(
  'what only looks reports and leads nowhere, with the %s lock',
  async (locker) => {
    await tryAll(locker, LOOKING, (place) => place.kind === 'cache')
  },
)

test.skipIf(missing('linux', 'python3'))('doctor reports and leads nowhere', async () => {
  await tryAll('kernel', DOCTOR, ({ name }) => DOCTORS_PLACES.has(name))
})

async function tryAll(
  locker: LockerName,
  commands: string[][],
  isMeant: (place: { name: string; kind: string }) => boolean,
): Promise<void> {
  const worlds = await makeWorlds(locker, 1)
  const [world] = worlds.all
  const client = new CommandClient(worlds.base)
  try {
    const places = placesOf(world!).filter(isMeant)
    const cases = places.flatMap(({ name }) => Object.keys(PLANTS).map((plant) => ({ place: name, plant })))
    const problems: string[] = []
    for (const scene of timeBox(cases, { atLeast: 3 }))
      problems.push(...(await tryOne(world!, client, scene, commands)))
    expect(problems).toEqual([])
  } finally {
    client.end()
    worlds.remove()
  }
}

async function tryOne(
  world: World,
  client: CommandClient,
  { place, plant }: { place: string; plant: string },
  commands: string[][],
): Promise<string[]> {
  await planted(world, { place, plant, open: false })
  const problems: string[] = []
  for (const args of commands) {
    const said = await client.run([...args, '--cache', world.root])
    const problem = world.hasOutsideChanged() ? 'what is outside was read, or has changed' : problemOf(said)
    if (problem !== null) problems.push(`${args.join(' ')}, ${plant} at ${place}: ${problem}`)
  }
  return problems
}

/** 1: verify and doctor have found problems. */
const REPORTED = new Set([0, 1])

function problemOf({ code, stdout, stderr }: Said): string | null {
  const all = stdout + stderr
  if (code === null) return `it did not come back: ${all}`
  if (all.includes(THEIRS)) return `it says ${all}`
  if (code === 70 || /\n\s+at /.test(all)) return all
  if (!REPORTED.has(code)) return /\[[A-Z_]+\]\n {2}hint: \w/.test(stderr) ? null : `without a hint: ${all}`
  return stdout.startsWith('{') && (JSON.parse(stdout) as { schema: number }).schema !== 1 ? stdout : null
}
