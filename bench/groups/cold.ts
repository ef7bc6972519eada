/** The demo's four ways: eight workers that need one compiled model, from a cold cache. */
import { runWay } from '../../demo/run-way.js'
import { ALL_WAYS } from '../../demo/ways.js'
import type { Context } from '../context.js'
import type { Group, Row } from '../report.js'

export async function coldGroup({ dir, quick, say }: Context): Promise<Group> {
  const workers = quick ? 3 : 8
  const rows: Row[] = []
  for (const way of ALL_WAYS) {
    say(`way ${way}`)
    const { title, compiles, failures, seconds, cpuSeconds, ready } = await runWay(way, {
      workers,
      directory: dir,
    })
    const last = seconds.last ?? Number.NaN
    rows.push({
      name: title,
      role: way >= 3 ? 'ours' : 'other',
      median: last,
      low: last,
      high: last,
      samples: 1,
      ratio: null,
      more: {
        'first ready, s': seconds.first ?? Number.NaN,
        'workers ready': ready,
        'compiles begun': compiles.started,
        'compiles done': compiles.finished,
        failures: failures.length,
        'CPU s': cpuSeconds,
      },
    })
  }
  const table = {
    title: `${workers} workers, one model, nothing compiled yet`,
    unit: 's until the last is ready',
    note: 'One run each; `npm run demo` shows what happens in it. –: not all workers became ready.',
    rows,
  }
  return { name: 'cold', tables: [table], aims: [] }
}
