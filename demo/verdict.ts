/** What cachelatch promises, held against what was measured. Nothing is expected of the ways without it. */
import type { WayResult } from './measure.js'
import { MODEL } from './model.js'

/** One line for each broken expectation. */
export function brokenExpectations(result: WayResult): string[] {
  if (result.way < 3) return []
  const { ready, workers, failures, numbers, compiles, layers, killed } = result
  const compilesBegun = result.way === 4 ? 2 : 1
  const expectations: [holds: boolean, otherwise: string][] = [
    [compiles.started === compilesBegun, `${compiles.started} compiles started, not ${compilesBegun}`],
    [compiles.finished === 1, `${compiles.finished} compiles finished, not 1`],
    [
      layers.finished >= MODEL.layers.length && (result.way === 4 || layers.finished === MODEL.layers.length),
      `${layers.finished} layers compiled, of ${MODEL.layers.length}`,
    ],
    [result.way !== 4 || killed !== null, 'no worker was killed'],
    [ready === workers, `${ready} of ${workers} workers ready`],
    [
      failures.length === 0,
      `failures: ${failures.map(({ kind, message }) => `${kind} (${message})`).join('; ')}`,
    ],
    [numbers.identical, `outputs differ: ${numbers.digests.join(', ')}; reference ${numbers.reference}`],
  ]
  return expectations
    .filter(([holds]) => !holds)
    .map(([, otherwise]) => `way ${result.way} (${result.title}): ${otherwise}`)
}
