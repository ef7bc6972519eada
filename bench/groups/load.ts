/** Far more workers than the machine has cores for: their memory, who waits longest, and what is left of helpers. */
import { mkdirSync } from 'node:fs'
import { freemem } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../context.js'
import { type Crowd, askAll, dismiss, gather, mebibytesOf } from '../crowd.js'
import { familyOf, watchMemory } from '../family.js'
import { summarize } from '../measure.js'
import type { Group, Table } from '../report.js'
import { quantile, sumOf } from '../statistics.js'

const CROWDS = [500, 1_000]
const MANY_KEYS = 50
/** Of private memory a worker, when it waits: what does not fit is not tried. */
const WORKER_MIB = 20

export async function loadGroup({ dir, quick, say }: Context): Promise<Group> {
  const tables: Table[] = []
  for (const count of quick ? [100] : CROWDS) {
    say(`${count} processes`)
    tables.push(await loadTable(join(dir, String(count)), count))
  }
  return { name: 'load', tables, aims: [] }
}

async function loadTable(root: string, count: number): Promise<Table> {
  const labels = {
    title: `${count} processes at once`,
    unit: 's until all have it',
    note:
      'Started, at a barrier, then all at once; the same processes ask for one key (a compile of 1 s), then for ' +
      `${MANY_KEYS} keys (50 ms each), then for all of these again, which are there. Memory: the sum of Pss of all ` +
      'processes and their helpers, the most that was seen.',
  }
  const freeMib = freemem() / 2 ** 20
  if (freeMib < count * WORKER_MIB)
    return {
      ...labels,
      rows: [],
      skipped: [`${count} processes need ${count * WORKER_MIB} MiB, ${Math.round(freeMib)} are free`],
    }
  mkdirSync(root, { recursive: true })
  const family = familyOf()
  const workers = await gather(root, count, family.env)
  const idle = family.look()
  const wishes = [
    { name: 'one key, not compiled yet', keys: 1, prefix: 'one', mebibytes: mebibytesOf(1) },
    {
      name: `${MANY_KEYS} keys, not compiled yet`,
      keys: MANY_KEYS,
      prefix: 'many',
      mebibytes: mebibytesOf(0.05),
    },
    { name: `${MANY_KEYS} keys, all there`, keys: MANY_KEYS, prefix: 'many', mebibytes: 0 },
  ]
  const rows: Table['rows'] = []
  for (const { name, keys, prefix, mebibytes } of wishes) {
    const memory = watchMemory(family)
    const crowd = await askAll(workers, (index) => ({ key: `${prefix} ${index % keys}`, mebibytes }))
    const peak = await memory.end()
    const more = {
      ...waits(crowd),
      'GiB, asked nothing': idle.gibibytes,
      'GiB at most': peak.gibibytes,
      'helpers at most': peak.helpers,
    }
    rows.push({ ...summarize(name, 'ours', [crowd.seconds], null), more })
  }
  await dismiss(workers)
  const left = family.look()
  for (const row of rows)
    row.more = { ...row.more, 'helpers left': left.helpers, 'processes left': left.processes }
  return { ...labels, rows }
}

function waits({ asked }: Crowd): Record<string, number> {
  const all = asked.map(({ waitedMs }) => waitedMs / 1000)
  const mean = sumOf(all, (seconds) => seconds) / all.length
  return {
    compiles: asked.filter(({ outcome }) => outcome === 'compiled').length,
    'mean wait, s': mean,
    'longest wait, s': quantile(all, 1),
    'longest / mean': quantile(all, 1) / mean,
  }
}
