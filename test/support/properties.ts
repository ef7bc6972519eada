/**
 * Properties over values that nobody thought of. fast-check prints the smallest value that breaks one, with seed and path:
 * CACHELATCH_PROOF_SEED has the seed again.
 */
import * as fc from 'fast-check'
import { BUDGET_MS, TRIES_ALL } from './time-box.js'

const RUNS = 300
const RUNS_OF_ALL = 20_000

/** As many runs as there is time, and no fewer than some hundred. */
export function forAll<Values extends [unknown, ...unknown[]]>(
  ...args: [...{ [Index in keyof Values]: fc.Arbitrary<Values[Index]> }, (...values: Values) => void]
): void {
  const check = args.pop() as (...values: Values) => void
  const arbitraries = args as unknown as { [Index in keyof Values]: fc.Arbitrary<Values[Index]> }
  // What `expect` returns is no verdict.
  fc.assert(
    fc.property(...arbitraries, (...values) => {
      check(...values)
    }),
    parameters(),
  )
}

/** The same of what takes a while. */
export async function forAllAsync<T>(
  values: fc.Arbitrary<T>,
  check: (value: T) => Promise<void>,
): Promise<void> {
  const { numRuns } = parameters()
  await fc.assert(fc.asyncProperty(values, check), { ...parameters(), numRuns: Math.ceil(numRuns / 10) })
}

function parameters(): { numRuns: number; seed?: number } {
  const seed = process.env['CACHELATCH_PROOF_SEED']
  const numRuns = TRIES_ALL ? RUNS_OF_ALL : Math.round((RUNS * BUDGET_MS) / 10_000)
  return { numRuns: Math.max(100, numRuns), ...(seed !== undefined && { seed: Number(seed) }) }
}
