/**
 * The library's own code in simulated worlds: as many as there is time for, others each time. A world in which a
 * promise is broken tells its seed; `npm run simulate -- --seed N` shows all that happened in it.
 */
import { afterAll, expect, test } from 'vitest'
import { seededRandom } from '../support/random.js'
import { BUDGET_MS } from '../support/time-box.js'
import type { Told } from './simulate.js'
import { WorldThread } from './world-thread.js'

/** However slow the machine is. */
const AT_LEAST = 20
/** `all` of worlds without end: an hour's worth is for `npm run simulate`. */
const MAX_MS = 5 * 60_000

const thread = new WorldThread()
afterAll(() => thread.end())

test.each(['kernel', 'lockfile'] as const)(
  'with the %s lock, no promise is broken in any of the worlds that there is time for',
  async (locker) => {
    const until = performance.now() + Math.min(BUDGET_MS, MAX_MS) / 2
    const { random } = seededRandom('CACHELATCH_PROOF_SEED')
    let worlds = 0
    for (; worlds < AT_LEAST || performance.now() < until; worlds++) {
      const told = await thread.simulate({ seed: Math.floor(random() * 2 ** 31), locker })
      const { seed, violation, swarm, trace } = told
      if (violation === null) continue
      expect.fail(`npm run simulate -- --locker ${locker} --seed ${seed}\n${violation}\n${swarm}\n${trace}`)
    }
    process.stderr.write(`${worlds} worlds with the ${locker} lock\n`)
  },
)

/** Those with much that is loaded late, and with stops in the middle of it. */
const SEEDS = [1, 7, 12, 165, 176]

test('a world is the same alone and after 20 others, and no other is the same', async () => {
  for (let seed = 1000; seed < 1020; seed++) await thread.simulate({ seed })
  const after: Told[] = []
  for (const seed of SEEDS) after.push(await thread.simulate({ seed }))
  for (const [index, seed] of SEEDS.entries()) {
    const alone = new WorldThread()
    expect(await alone.simulate({ seed })).toEqual(after[index])
    await alone.end()
  }
  expect(new Set(after.map(({ hash }) => hash)).size).toBe(SEEDS.length)
})
