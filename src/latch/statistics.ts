/** What all processes together have counted in a cache. */
import { addTo, hitRate, noCounts } from '../core/counts.js'
import type { KeyStats, StatsReport } from '../core/report.js'
import { readCounted } from '../store/stats.js'
import type { Opened } from './open.js'

export interface StatsOptions {
  /** Only what was written down less than so many milliseconds ago; hits are, after ten seconds. Default: all. */
  sinceMs?: number | undefined
  /** Also for each key by itself. */
  byKey?: boolean | undefined
}

export async function readStats(
  { disk, layout, host, counting }: Opened,
  { sinceMs, byKey = false }: StatsOptions,
): Promise<StatsReport> {
  if (sinceMs !== undefined && !(sinceMs >= 0)) throw new TypeError('sinceMs is no number of milliseconds.')
  await counting.flush()
  const since = sinceMs === undefined ? null : host.clock.wallTime() - sinceMs
  const total = noCounts()
  const keys = new Map<string, KeyStats>()
  for await (const { id, key, counts } of readCounted(disk, layout, since ?? Number.NEGATIVE_INFINITY)) {
    addTo(total, counts)
    if (!byKey) continue
    const known = keys.get(id) ?? { id, key, ...noCounts(), hitRate: null }
    addTo(known, counts)
    keys.set(id, known)
  }
  const report: StatsReport = { schema: 1, root: layout.root, since, ...total, hitRate: hitRate(total) }
  if (!byKey) return report
  const list = [...keys.values()].map((each) => Object.assign(each, { hitRate: hitRate(each) }))
  return { ...report, keys: list.sort((a, b) => b.savedMs - a.savedMs || (a.id < b.id ? -1 : 1)) }
}
