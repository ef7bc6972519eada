/** One panel of lines: something as it grows, with the quartiles of each point. */
import { type Markup, xml } from '../../src/cli/timeline/markup.js'
import { format, inBytes, inThousands } from '../page.js'
import type { Scaling, Series } from '../report.js'
import type { Box, Panel } from './picture.js'
import { type Scale, linear, logarithmic } from './scales.js'
import { type Tone, round } from './style.js'

export interface LineOptions {
  head: string
  /** Powers of two along, and from nought up: for a few counts. Otherwise both are logarithmic. */
  isSmall?: boolean
}

const LEGEND_ROW = 17
const FOOT = 40
const LEFT = 46
const PLOT_HEIGHT = 210

export function linesPanel(scaling: Scaling, { head, isSmall = false }: LineOptions): Panel {
  const { series } = scaling
  return {
    height: 26 + series.length * LEGEND_ROW + 14 + PLOT_HEIGHT + FOOT,
    draw(box) {
      // From below: its neighbour may have a longer legend.
      const top = box.y + box.height - FOOT - PLOT_HEIGHT
      const area: Box = { x: box.x + LEFT, y: top, width: box.width - LEFT - 8, height: PLOT_HEIGHT }
      const points = series.flatMap((each) => each.points)
      const across = logarithmic(
        points.map(({ at }) => at),
        { from: area.x + 8, to: area.x + area.width - 8 },
        isSmall || scaling.alongBytes ? 2 : 10,
      )
      const values = points.flatMap(({ low, median, high }) => [low, median, high])
      const up = (isSmall ? linear : logarithmic)(values, { from: area.y + area.height, to: area.y })
      return [
        xml`<text class="head" x="${box.x}" y="${box.y + 12}">${head}, ${scaling.unit}</text>`,
        ...series.flatMap((each, index) =>
          legend(each, toneOf(each, series), box.x, box.y + 34 + index * LEGEND_ROW),
        ),
        ...axes(scaling, area, across, up),
        ...[...series].reverse().flatMap((each) => drawn(each, toneOf(each, series), across, up)),
        ...(isSmall ? series.flatMap((each) => lastValue(each, across, up)) : []),
      ]
    },
  }
}

/** Ours in turn, as the library may have several. */
function toneOf(one: Series, all: Series[]): Tone {
  if (one.role !== 'ours') return one.role
  return (['ours', 'second', 'third'] as const)[all.filter(({ role }) => role === 'ours').indexOf(one) % 3]!
}

function legend({ name, growth }: Series, tone: Tone, x: number, y: number): Markup[] {
  return [
    xml`<path class="line ${tone}" d="M${x + 1} ${y - 4}h20"/>`,
    xml`<text class="small" x="${x + 29}" y="${y}">${name}: ${growth}</text>`,
  ]
}

function axes({ along, alongBytes }: Scaling, area: Box, across: Scale, up: Scale): Markup[] {
  const bottom = area.y + area.height
  const right = area.x + area.width
  return [
    ...up.marks.map((mark, index) => {
      const y = round(up(mark))
      return xml`<path class="${index === 0 ? 'base' : 'grid'}" d="M${area.x} ${y}H${right}"/><text class="small" x="${area.x - 7}" y="${y + 4}" text-anchor="end">${format(mark)}</text>`
    }),
    ...across.marks.map(
      (mark) =>
        xml`<text class="small" x="${round(across(mark))}" y="${bottom + 17}" text-anchor="middle">${alongBytes ? inBytes(mark) : inThousands(mark)}</text>`,
    ),
    xml`<text class="small" x="${right}" y="${bottom + 33}" text-anchor="end">${along}</text>`,
  ]
}

function drawn({ points, role }: Series, tone: Tone, across: Scale, up: Scale): Markup[] {
  const at = points.map((point) => ({ ...point, x: round(across(point.at)), y: round(up(point.median)) }))
  const path = at.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('')
  const spreads = at.map(({ x, low, high }) => `M${x} ${round(up(low))}V${round(up(high))}`).join('')
  const marks =
    role === 'floor' ? [] : at.map(({ x, y }) => xml`<circle class="${tone}" cx="${x}" cy="${y}" r="4"/>`)
  return [
    xml`<path class="spread ${tone}" d="${spreads}"/>`,
    xml`<path class="line ${tone}" d="${path}"/>`,
    ...marks,
  ]
}

/** Where lines go far apart there is room for it. */
function lastValue({ points, role }: Series, across: Scale, up: Scale): Markup[] {
  const last = points.at(-1)
  if (role === 'floor' || last === undefined) return []
  return [
    xml`<text class="head" x="${round(across(last.at)) + 8}" y="${round(up(last.high)) - 9}" text-anchor="end">${format(last.median)}</text>`,
  ]
}
