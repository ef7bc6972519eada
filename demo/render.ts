/** The table and the timelines, for people: drawn as `cachelatch timeline` draws them. */
import { type Bar, coloured, drawBars, legend, plain } from '../src/cli/timeline/terminal.js'
import type { Span, WayResult } from './measure.js'
import { MODEL } from './model.js'

const STATES: Span['state'][] = ['starting', 'waiting', 'compiling', 'loading', 'ready', 'died']

type Emphasis = (text: string) => string

export function render(results: WayResult[], stream: NodeJS.WriteStream): string {
  const inColour = stream.isTTY && stream.hasColors()
  const style = inColour ? coloured : plain
  const heading: Emphasis = (text) => (inColour ? `\u001B[1m${text}\u001B[0m` : text)
  const width = Math.min(Math.max(stream.columns ?? 100, 60), 120) - 2
  const longest = Math.max(...results.flatMap(({ timeline }) => timeline.flatMap(endOf)))
  return [
    ...results.flatMap((result) => [
      heading(`${result.way}. ${result.title}`),
      ...drawBars(barsOf(result), { durationMs: longest * 1000, width, style }),
      '',
    ]),
    `  ${legend(style, STATES)}`,
    '',
    ...table(results, heading),
    '',
    ...notes(results),
  ].join('\n')
}

function barsOf({ timeline }: WayResult): Bar[] {
  return timeline.map(({ worker, spans }) => ({
    label: `worker ${worker}`,
    spans: spans.map(({ state, from, to }) => ({ state, from: from * 1000, to: to * 1000 })),
  }))
}

function endOf({ spans }: { spans: Span[] }): number[] {
  return spans.map(({ to }) => to)
}

function table(results: WayResult[], heading: Emphasis): string[] {
  const rows = [
    ['', 'compiles', 'layers', 'ready', 'first', 'last', 'CPU', ''],
    ['way', 'begun/done', 'compiled', '', 'ready', 'ready', '', 'failures'],
    ...results.map((result) => [
      `${result.way}. ${result.title}`,
      `${result.compiles.started}/${result.compiles.finished}`,
      String(result.layers.finished),
      `${result.ready}/${result.workers}`,
      inSeconds(result.seconds.first),
      inSeconds(result.seconds.last),
      inSeconds(result.cpuSeconds),
      failuresByKind(result),
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const isText = (column: number) => column === 0 || column === widths.length - 1
  return rows.map((row, index) => {
    const line = row
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd()
    return index < 2 ? heading(line) : line
  })
}

function failuresByKind({ failures }: WayResult): string {
  if (failures.length === 0) return 'none'
  const kinds = [...new Set(failures.map(({ kind }) => kind))]
  return kinds
    .map((kind) => `${failures.filter((failure) => failure.kind === kind).length} × ${kind}`)
    .join(', ')
}

function notes(results: WayResult[]): string[] {
  const lines = [
    'All figures were measured in this run; seconds count from the release of all workers at once.',
    'CPU: user and system time of the worker processes from birth to end, without children of their own.',
  ]
  for (const { way, killed, waits, failures } of results) {
    if (killed) {
      lines.push(
        `Way ${way}: worker ${killed.worker} (pid ${killed.pid}) was killed with SIGKILL at ${inSeconds(killed.atSeconds)}, ` +
          `half of its ${MODEL.layers.length} layers compiled, and started again; the last ` +
          `${killed.uncountedSeconds.toFixed(3)} s of its CPU time could not be counted.`,
      )
    }
    const owners = [...new Set(waits.map(({ ownerPid }) => ownerPid ?? 'unknown'))]
    if (owners.length > 0) {
      const waiting = new Set(waits.map(({ worker }) => worker)).size
      lines.push(
        `Way ${way}: ${waiting} waiting workers were told who compiles: pid ${owners.join(', then pid ')}.`,
      )
    }
    for (const { worker, kind, message } of failures)
      lines.push(`Way ${way}: worker ${worker}: ${kind}: ${message}`)
  }
  return lines
}

function inSeconds(seconds: number | null): string {
  return seconds === null ? 'never' : `${seconds.toFixed(1)} s`
}
