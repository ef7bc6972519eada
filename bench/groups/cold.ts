/** The demo's four ways: eight workers that need one compiled model, from a cold cache. */
import type { WayResult } from '../../demo/measure.js'
import { runWay } from '../../demo/run-way.js'
import { ALL_WAYS, WAYS, type Way } from '../../demo/ways.js'
import type { Context } from '../context.js'
import { summarize } from '../measure.js'
import type { Group, Row } from '../report.js'
import { quantile } from '../statistics.js'

const ROUNDS = 2

export async function coldGroup({ dir, quick, say }: Context): Promise<Group> {
  const workers = quick ? 3 : 8
  const runs: WayResult[][] = ALL_WAYS.map(() => [])
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    for (let turn = 0; turn < ALL_WAYS.length; turn++) {
      const index = (turn + round) % ALL_WAYS.length
      const way = ALL_WAYS[index]!
      say(`way ${way}`)
      runs[index]!.push(await runWay(way, { workers, directory: dir }))
    }
  }
  const table = {
    title: `${workers} workers, one model, nothing compiled yet`,
    unit: 's until the last is ready',
    note: 'Medians of a few runs; `npm run demo` shows what happens in one. –: not all workers became ready.',
    rows: ALL_WAYS.map((way, index) => rowOf(way, runs[index]!)),
  }
  return { name: 'cold', tables: [table], aims: [] }
}

function rowOf(way: Way, runs: WayResult[]): Row {
  const row = summarize(WAYS[way].title, way >= 3 ? 'ours' : 'other', runs.map(lastReady), null)
  return { ...row, more: details(runs) }
}

function lastReady({ seconds }: WayResult): number {
  return seconds.last ?? Number.NaN
}

function details(runs: WayResult[]): Record<string, number> {
  const middle = (of: (run: WayResult) => number): number => quantile(runs.map(of), 0.5)
  return {
    'first ready, s': middle(({ seconds }) => seconds.first ?? Number.NaN),
    'workers ready': middle(({ ready }) => ready),
    'compiles begun': middle(({ compiles }) => compiles.started),
    'compiles done': middle(({ compiles }) => compiles.finished),
    failures: middle(({ failures }) => failures.length),
    'CPU s': middle(({ cpuSeconds }) => cpuSeconds),
  }
}
