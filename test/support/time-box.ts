/**
 * A share of many cases, as large as there is time: in a run of all tests a part of the proof tries a few of its cases,
 * others each time; `npm run proof` tries all.
 *
 * CACHELATCH_PROOF_SECONDS: how long each part may take (10; `all`: as long as it needs). CACHELATCH_PROOF_SEED: the
 * number that a failed run has printed, for the same cases in the same order.
 */
import { seededRandom } from './random.js'

const SETTING = process.env['CACHELATCH_PROOF_SECONDS'] ?? '10'

export const TRIES_ALL = SETTING === 'all'
export const BUDGET_MS = TRIES_ALL ? Infinity : Number(SETTING) * 1000

/**
 * Gives `cases` in an order that the seed chooses, `atLeast` of them however slow the machine is, until the time is
 * over. Says on stderr how many it has given.
 */
export function* timeBox<T>(
  cases: readonly T[],
  { atLeast = 1, budgetMs = BUDGET_MS } = {},
): Generator<T, void, undefined> {
  const { random } = seededRandom('CACHELATCH_PROOF_SEED')
  const until = performance.now() + budgetMs
  let given = 0
  try {
    for (const each of shuffled(cases, random)) {
      if (given >= atLeast && performance.now() > until) return
      given++
      yield each
    }
  } finally {
    process.stderr.write(`${given} of ${cases.length} cases tried\n`)
  }
}

function shuffled<T>(cases: readonly T[], random: () => number): T[] {
  const order = [...cases]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[order[last], order[other]] = [order[other]!, order[last]!]
  }
  return order
}
