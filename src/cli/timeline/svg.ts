/** The timeline as a picture for a README: self-contained, light or dark as its reader likes it. */
import { formatSpan, marksOf } from './axis.js'
import { fateOf, notesOf, summaryOf } from './describe.js'
import { Markup, xml } from './markup.js'
import type { Picture, Row } from './picture.js'
import { MAY_VANISH, STATES, type Span, type State, isMark } from './spans.js'
import { longestOf } from './terminal.js'

const WIDTH = 880
const MARGIN = 24
const ROW = 24
const HEAD = 82
const FOOT = 38
/** Of a character of 12 px in the usual sans-serif fonts, on average. */
const CHARACTER = 6.7
const MAX_LABEL = 26
const MAX_FATE = 22
const PIXELS_A_MARK = 80
/** Narrower things are not seen, and a picture of many would be large. */
const LEAST_PIXELS = 0.75
const LEAST_SHOWN_PIXELS = 1.5

/** Told apart by their height as well, for those who do not see the colours. */
const SHAPES: Record<State, { height: number; light: string; dark: string }> = {
  starting: { height: 2, light: '#b6bec9', dark: '#4b535d' },
  waiting: { height: 6, light: '#e8b339', dark: '#c69026' },
  compiling: { height: 16, light: '#2f6fde', dark: '#4d8ff5' },
  holding: { height: 16, light: '#1b9aaa', dark: '#2bb3c0' },
  loading: { height: 11, light: '#9a5bd6', dark: '#b58bec' },
  ready: { height: 3, light: '#3fa45b', dark: '#46b565' },
  failed: { height: 12, light: '#d1373f', dark: '#f4625e' },
  died: { height: 12, light: '#d1373f', dark: '#f4625e' },
}

/** Its own, also within a page: a class of its own keeps it off the rest. */
const STYLE = new Markup(`<style>
  .tl { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif }
  .tl .paper { fill: #ffffff; stroke: #d8dee4 }
  .tl .name, .tl .sum { fill: #1f2328 }
  .tl .sum { font-size: 15px; font-weight: 600 }
  .tl .small { fill: #656d76; font-size: 11px }
  .tl .grid { stroke: #d8dee4; stroke-width: 1 }
  .tl .stripe { fill: #f6f8fa }
${STATES.map((state) => `  .tl .${state} { fill: ${SHAPES[state].light}; stroke: ${SHAPES[state].light} }`).join('\n')}
  .tl rect.bar { stroke: none }
  .tl path { fill: none; stroke-linecap: round }
  .tl path.mark { stroke-width: 3 }
  .tl path.rim { stroke: #ffffff; stroke-width: 6 }
  @media (prefers-color-scheme: dark) {
    .tl .paper { fill: #0d1117; stroke: #30363d }
    .tl .name, .tl .sum { fill: #e6edf3 }
    .tl .small { fill: #8d96a0 }
    .tl .grid { stroke: #262c36 }
    .tl path.rim { stroke: #0d1117 }
    .tl .stripe { fill: #151b23 }
${STATES.map((state) => `    .tl .${state} { fill: ${SHAPES[state].dark}; stroke: ${SHAPES[state].dark} }`).join('\n')}
  }
</style>`)

export function svgOf(picture: Picture): Markup {
  const { rows, from, to } = picture
  const left = MARGIN + longestOf(rows.map(({ label }) => clip(label, MAX_LABEL))) * CHARACTER + 14
  const right = WIDTH - MARGIN - longestOf(rows.map(rowFate)) * CHARACTER * 0.92 - 12
  const scale: Scale = { left, from, perMs: (right - left) / Math.max(to - from, 1) }
  const notes = notesOf(picture)
  const height = HEAD + rows.length * ROW + FOOT + notes.length * 18
  const bottom = HEAD + rows.length * ROW
  return xml`<svg xmlns="http://www.w3.org/2000/svg" class="tl" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${summaryOf(picture)}">
${STYLE}
<rect class="paper" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="sum" x="${MARGIN}" y="34">${summaryOf(picture)}</text>
${legend(rows)}
${rows.map((_, index) => (index % 2 === 0 ? stripe(index) : xml``))}
${axis(to - from, scale, bottom)}
${rows.map((row, index) => drawRow(row, index, scale, right))}
${notes.map((note, index) => xml`<text class="small" x="${MARGIN}" y="${bottom + FOOT + index * 18}">${note}</text>`)}
</svg>`
}

interface Scale {
  left: number
  from: number
  perMs: number
}

function legend(rows: Row[]): Markup[] {
  const shown = new Set(rows.flatMap(({ spans }) => spans.map(({ state }) => state)))
  let x = MARGIN
  return STATES.filter((state) => shown.has(state)).map((state) => {
    const at = x
    x += 30 + state.length * CHARACTER + 14
    const sample = isMark(state) ? mark(state, at + 9, 58) : rect(state, at, at + 18, 58)
    return xml`${sample}<text class="small" x="${at + 25}" y="62">${state}</text>`
  })
}

function stripe(index: number): Markup {
  return xml`<rect class="stripe" x="${MARGIN - 10}" y="${HEAD + index * ROW}" width="${WIDTH - 2 * MARGIN + 20}" height="${ROW}" rx="4"/>`
}

function axis(durationMs: number, { left, perMs }: Scale, bottom: number): Markup[] {
  return marksOf(durationMs, (durationMs * perMs) / PIXELS_A_MARK).map(({ at, label }) => {
    const x = round(left + at * perMs)
    return xml`<path class="grid" d="M${x} ${HEAD - 2}V${bottom + 4}"/><text class="small" x="${x}" y="${bottom + 20}" text-anchor="middle">${label}</text>`
  })
}

function drawRow(row: Row, index: number, scale: Scale, right: number): Markup {
  const middle = HEAD + index * ROW + ROW / 2
  return xml`<g><title>${titleOf(row)}</title><text class="name" x="${MARGIN}" y="${middle + 4}">${clip(row.label, MAX_LABEL)}</text>
<text class="small" x="${round(right + 12)}" y="${middle + 4}">${rowFate(row)}</text></g>
${drawSpans(row.spans, middle, scale)}`
}

function drawSpans(spans: Span[], middle: number, { left, from, perMs }: Scale): Markup[] {
  const x = (time: number): number => left + (time - from) * perMs
  /** Up to here the row is drawn; what is too narrow leaves its place to the next. */
  let drawn = 0
  let end = from
  return spans.flatMap((span) => {
    const title = xml`<title>${spanTitle(span, from)}</title>`
    if (isMark(span.state)) return [xml`<g>${title}${mark(span.state, x(span.from), middle)}</g>`]
    if (span.from > end) drawn = Math.max(drawn, x(span.from))
    end = span.to
    const start = Math.max(drawn, left)
    const stop = Math.max(x(span.to), start + (MAY_VANISH.has(span.state) ? 0 : LEAST_SHOWN_PIXELS))
    if (stop - start < LEAST_PIXELS) return []
    drawn = stop
    return [xml`<g>${title}${rect(span.state, start, stop, middle)}</g>`]
  })
}

function rect(state: State, from: number, to: number, middle: number): Markup {
  const { height } = SHAPES[state]
  return xml`<rect class="bar ${state}" x="${round(from)}" y="${middle - height / 2}" width="${round(to - from)}" height="${height}" rx="${Math.min(2, height / 2)}"/>`
}

/** A cross, or an exclamation mark. */
function mark(state: State, x: number, y: number): Markup {
  const at = round(x)
  const path = state === 'died' ? `M${at - 5} ${y - 5}l10 10m0 -10l-10 10` : `M${at} ${y - 6}v7m0 5v0.1`
  return xml`<path class="rim" d="${path}"/><path class="mark ${state}" d="${path}"/>`
}

function spanTitle({ state, from, to, note = '' }: Span, begin: number): string {
  const what = note === '' ? state : `${state}: ${note}`
  if (isMark(state)) return `${what}, at ${formatSpan(from - begin)}`
  return `${what}\n${formatSpan(to - from)}, from ${formatSpan(from - begin)} to ${formatSpan(to - begin)}`
}

function titleOf({ processes }: Row): string {
  return processes
    .map(({ lane }) => `pid ${lane.worker.pid} on ${lane.worker.host}: ${lane.command}`)
    .join('\n')
}

function rowFate({ processes }: Row): string {
  return clip(fateOf(processes.at(-1)!), MAX_FATE)
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

const round = (pixels: number): number => Math.round(pixels * 100) / 100
