/** Bars of characters, one line a worker. */
import { printable } from '../../core/printable.js'
import { marksOf } from './axis.js'
import { MAY_VANISH, STATES, type Span, type State, isMark } from './spans.js'

export type Style = (state: State, text: string) => string

export interface Bar {
  label: string
  /** In milliseconds from the left end; ascending. */
  spans: Span[]
}

export interface Frame {
  /** What the whole width stands for: the same in all drawings that are to be compared by eye. */
  durationMs: number
  /** In characters, labels included. */
  width: number
  style: Style
}

const GLYPHS: Record<State, string> = {
  starting: '·',
  waiting: '░',
  compiling: '█',
  holding: '▓',
  loading: '▒',
  ready: '─',
  failed: '!',
  died: 'x',
}

/** SGR: dim, yellow, cyan, blue, magenta, green, red. */
const COLOURS: Record<State, number> = {
  starting: 2,
  waiting: 33,
  compiling: 36,
  holding: 34,
  loading: 35,
  ready: 32,
  failed: 31,
  died: 31,
}

const MAX_LABEL = 28
const CELLS_A_MARK = 10

export const plain: Style = (_, text) => text
export const coloured: Style = (state, text) => (text ? `\u001B[${COLOURS[state]}m${text}\u001B[0m` : text)

export function legend(style: Style, states: Iterable<State> = STATES): string {
  const shown = new Set(states)
  return STATES.filter((state) => shown.has(state))
    .map((state) => `${style(state, GLYPHS[state])} ${state}`)
    .join('   ')
}

export function drawBars(bars: Bar[], { durationMs, width, style }: Frame): string[] {
  const labels = bars.map(({ label }) => shorten(printable(label)))
  const labelWidth = longestOf(labels) + 4
  // A mark at the very end has a cell too.
  const cells = Math.max(10, width - labelWidth - 1)
  const perMs = cells / Math.max(durationMs, 1)
  return [
    ...bars.map(
      ({ spans }, index) => `  ${labels[index]!.padEnd(labelWidth - 2)}${bar(spans, perMs, style)}`,
    ),
    `${' '.repeat(labelWidth)}${axis(durationMs, cells)}`,
  ]
}

function bar(spans: Span[], perMs: number, style: Style): string {
  let drawn = 0
  return spans
    .map(({ state, from, to }) => {
      const start = Math.max(drawn, Math.round(from * perMs))
      const least = MAY_VANISH.has(state) ? 0 : 1
      const end = isMark(state) ? start + 1 : Math.max(Math.round(to * perMs), start + least)
      const gap = ' '.repeat(start - drawn)
      drawn = end
      return gap + style(state, GLYPHS[state].repeat(end - start))
    })
    .join('')
}

function axis(durationMs: number, cells: number): string {
  const marks = marksOf(durationMs, cells / CELLS_A_MARK)
  return marks.reduce((line, { at, label }) => {
    const cell = Math.round((at / Math.max(durationMs, 1)) * cells)
    return line.padEnd(cell) + label
  }, '')
}

/** Of all texts, the length of the longest; there may be too many for the arguments of one call. */
export function longestOf(texts: string[]): number {
  return texts.reduce((longest, { length }) => Math.max(longest, length), 0)
}

function shorten(label: string): string {
  return label.length <= MAX_LABEL ? label : `${label.slice(0, MAX_LABEL - 1)}…`
}
