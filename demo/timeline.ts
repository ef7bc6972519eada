/** The timeline of a way, one line a worker. */
import type { Span, WayResult } from './measure.js'

export type Style = (state: Span['state'] | 'heading', text: string) => string

const GLYPHS: Record<Span['state'], string> = {
  starting: '·',
  waiting: '░',
  compiling: '█',
  loading: '▒',
  ready: '─',
  died: 'x',
}

/** States that are often too short for a cell of their own, and not worth a false one. */
const MAY_VANISH = new Set<Span['state']>(['starting', 'waiting'])
const LABEL_WIDTH = 12

export function legend(style: Style): string {
  const states = Object.entries(GLYPHS) as [Span['state'], string][]
  return states.map(([state, glyph]) => `${style(state, glyph)} ${state}`).join('   ')
}

/** `seconds` is what the whole width stands for: the same in all ways, so that they can be compared by eye. */
export function timeline(result: WayResult, seconds: number, width: number, style: Style): string[] {
  const cells = width - LABEL_WIDTH
  const perSecond = cells / seconds
  return [
    ...result.timeline.map(
      ({ worker, spans }) =>
        `  worker ${String(worker).padEnd(LABEL_WIDTH - 9)}${bar(spans, perSecond, style)}`,
    ),
    axis(seconds, cells),
  ]
}

function bar(spans: Span[], perSecond: number, style: Style): string {
  let drawn = 0
  return spans
    .map(({ state, from, to }) => {
      const start = Math.max(drawn, Math.round(from * perSecond))
      const end = Math.max(Math.round(to * perSecond), start + (MAY_VANISH.has(state) ? 0 : 1))
      const gap = ' '.repeat(start - drawn)
      drawn = end
      return gap + style(state, GLYPHS[state].repeat(end - start))
    })
    .join('')
}

function axis(seconds: number, cells: number): string {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((step) => (step / seconds) * cells >= 8) ?? 200
  const marks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) =>
    Number((index * step).toFixed(1)),
  )
  const line = marks.reduce(
    (text, mark) => text.padEnd(Math.round((mark / seconds) * cells)) + (mark === 0 ? '0 s' : String(mark)),
    '',
  )
  return ' '.repeat(LABEL_WIDTH - 1) + line
}
