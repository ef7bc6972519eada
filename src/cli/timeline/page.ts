/** The timeline on a terminal, or wherever stdout leads. */
import { printable } from '../../core/printable.js'
import { fateOf, notesOf, summaryOf } from './describe.js'
import type { Picture } from './picture.js'
import { coloured, drawBars, legend, plain } from './terminal.js'

/** Without a terminal there is no width to fit into. */
const WIDTH_ELSEWHERE = 100
const LEAST_WIDTH = 50
/** Wider ones are hard to follow by eye. */
const MOST_WIDTH = 160

export function drawOn(stream: NodeJS.WriteStream, picture: Picture): string {
  const { rows, from, to } = picture
  const style = stream.isTTY && stream.hasColors() ? coloured : plain
  const width = Math.min(Math.max(stream.columns ?? WIDTH_ELSEWHERE, LEAST_WIDTH), MOST_WIDTH)
  const bars = rows.map(({ label, spans }) => ({
    label,
    spans: spans.map((span) => ({ ...span, from: span.from - from, to: span.to - from })),
  }))
  const states = rows.flatMap(({ spans }) => spans.map(({ state }) => state))
  return [
    printable(summaryOf(picture)),
    '',
    ...drawBars(bars, { durationMs: to - from, width, style }),
    '',
    `  ${legend(style, states)}`,
    ...badEnds(picture),
    ...notesOf(picture),
    '',
  ].join('\n')
}

/** Who failed or died, and with what in hand: what one looks for in a timeline. */
function badEnds({ rows }: Picture): string[] {
  const told = rows.flatMap(({ label, processes }) =>
    processes
      .filter(({ fate }) => fate === 'failed' || fate === 'died')
      .map((process) => {
        const busy = process.lane.unfinished[0]
        const what = busy ? `, ${busy.state} ${busy.note}` : ''
        return printable(`  ${label} (pid ${process.lane.worker.pid}): ${fateOf(process)}${what}`)
      }),
  )
  return told.length === 0 ? [] : ['', ...told]
}
