/** What was measured, as Markdown. */
import type { Machine } from '../../bench/machine.js'
import type { Round, WorkerReport } from './workers.js'

export interface Row {
  way: string
  round: string
  measured: Round
}

export function describe(machine: Machine, command: string, version: string): string {
  const { cpu, cores, kernel, fileSystem, node, date, load } = machine
  return `${command}\n\n${version}; ${cpu}, ${cores} cores (load ${load} at the start); ${kernel}; ${fileSystem}; Node ${node}; ${date}.\n`
}

export function asTable(rows: readonly Row[]): string {
  const lines = rows.map(({ way, round, measured: { wallSeconds, cpuSeconds, reports } }) => [
    way,
    round,
    wallSeconds.toFixed(1),
    cpuSeconds.toFixed(1),
    `${sum(reports, ({ hits }) => hits)} of ${sum(reports, ({ hits, misses }) => hits + misses)}`,
    String(sum(reports, ({ errors }) => errors.length)),
    outputsOf(reports),
  ])
  const head = ['', 'start', 'all ready after, s', 'CPU, s', 'hits', 'errors', 'outputs']
  const rule = ['---', '---', '---:', '---:', '---:', '---:', '---']
  return `${[head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n${errorsIn(rows)}`
}

function sum(reports: readonly WorkerReport[], count: (report: WorkerReport) => number): number {
  return reports.reduce((total, report) => total + count(report), 0)
}

function outputsOf(reports: readonly WorkerReport[]): string {
  const outputs = new Set(reports.map(({ checksum }) => checksum))
  if (outputs.has('')) return '**missing**'
  return outputs.size === 1 ? 'all equal' : '**differ**'
}

/** What the same worker says about a hundred files is said once. */
function errorsIn(rows: readonly Row[]): string {
  return rows
    .flatMap(({ way, round, measured }) => {
      const kinds = new Map<string, number>()
      for (const error of measured.reports.flatMap(({ errors }) => errors)) {
        const kind = error.replaceAll(/(['"/])\S*\/\S+|[0-9a-f]{16,}/g, '$1…').slice(0, 120)
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      }
      return [...kinds].map(([kind, count]) => `\n- ${way}, ${round}: ${count} × ${kind}`)
    })
    .join('')
}
