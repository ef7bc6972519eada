/**
 * The library's own code in simulated worlds: as many as there is time for, others each time. A world in which a
 * promise is broken tells its seed; `npm run simulate -- --seed N` shows all that happened in it.
 */
import { expect, test } from 'vitest'
import { BUDGET_MS } from '../support/time-box.js'
import { seededRandom } from '../support/random.js'
import { simulate } from './simulate.js'

/** However slow the machine is. */
const AT_LEAST = 20
/** `all` of worlds without end: an hour's worth is for `npm run simulate`. */
const MAX_MS = 5 * 60_000

test.each(['kernel', 'lockfile'] as const)(
  'with the %s lock, no promise is broken in any of the worlds that there is time for',
  async (locker) => {
    const until = performance.now() + Math.min(BUDGET_MS, MAX_MS) / 2
    const { random } = seededRandom('CACHELATCH_PROOF_SEED')
    let worlds = 0
    for (; worlds < AT_LEAST || performance.now() < until; worlds++) {
      const { seed, violation, swarm, trace } = await simulate(Math.floor(random() * 2 ** 31), locker)
      if (violation === null) continue
      expect.fail(`npm run simulate -- --locker ${locker} --seed ${seed}\n${violation}\n${swarm}\n${trace()}`)
    }
    process.stderr.write(`${worlds} worlds with the ${locker} lock\n`)
  },
)

test.each([1, 7, 165, 176])('world %i is the same each time', async (seed) => {
  const first = await simulate(seed)
  const second = await simulate(seed)
  expect([second.hash, second.steps]).toEqual([first.hash, first.steps])
  expect((await simulate(seed + 1)).hash).not.toBe(first.hash)
})
