/** One panel of bars: a table's rows, the shortest the best. */
import { type Markup, xml } from '../../src/cli/timeline/markup.js'
import { format } from '../page.js'
import type { Row, Table } from '../report.js'
import type { Panel } from './picture.js'
import { type Scale, linear, logarithmic } from './scales.js'
import { round, widthOf } from './style.js'

export interface BarOptions {
  head: string
  /** Only these rows, in this order, under these names. */
  rows: Record<string, string>
  /** From nought, where the rows are of one order of magnitude. */
  isLinear?: boolean
}

const ROW = 33
const HEAD = 30
const BAR = 11
const FOOT = 30

export function barsPanel(table: Table, { head, rows: chosen, isLinear = false }: BarOptions): Panel {
  const rows = Object.entries(chosen).flatMap(([name, label]) => {
    const row = table.rows.find((candidate) => candidate.name === name)
    return row && Number.isFinite(row.median) ? [{ ...row, name: label }] : []
  })
  return {
    height: HEAD + rows.length * ROW + FOOT,
    draw(box) {
      const labels = rows.map(({ median }) => `${format(median)} ${unitOf(table)}`)
      const longest = Math.max(...labels.map((label) => widthOf(label, 12)))
      const span = { from: box.x, to: box.x + box.width - longest - 10 }
      const values = rows.flatMap(({ low, median, high }) => [low, median, high])
      // A bar of the least value has to be seen as well: a decade below.
      const scale = isLinear ? linear(values, span) : logarithmic([...values, Math.min(...values) / 3], span)
      const bottom = box.y + HEAD + rows.length * ROW
      return [
        xml`<text class="head" x="${box.x}" y="${box.y + 12}">${head}</text>`,
        ...scale.marks.map((mark, index) =>
          axisMark(scale(mark), mark, box.y + HEAD - 8, bottom, index === 0),
        ),
        ...rows.flatMap((row, index) => bar(row, labels[index]!, scale, box.x, box.y + HEAD + index * ROW)),
      ]
    },
  }
}

/** The first word: what is measured, without how. */
function unitOf({ unit }: Table): string {
  return unit.split(/[ ,]/)[0]!
}

function axisMark(at: number, mark: number, top: number, bottom: number, isFirst: boolean): Markup {
  const x = round(at)
  return xml`<path class="${isFirst ? 'base' : 'grid'}" d="M${x} ${top}V${bottom}"/><text class="small" x="${x}" y="${bottom + 15}" text-anchor="${isFirst ? 'start' : 'middle'}">${format(mark)}</text>`
}

function bar(
  { name, role, median, low, high }: Row,
  label: string,
  scale: Scale,
  left: number,
  y: number,
): Markup[] {
  const [end, from, to] = [round(scale(median)), round(scale(low)), round(scale(high))]
  const middle = y + 13 + BAR / 2
  return [
    xml`<text class="small" x="${left + 6}" y="${y + 8}">${name}</text>`,
    xml`<rect class="bar ${role}" x="${left}" y="${y + 13}" width="${Math.max(end - left, 2)}" height="${BAR}" rx="2"/>`,
    xml`<path class="spread base" d="M${from} ${middle}H${to}"/>`,
    xml`<text x="${Math.max(end, to) + 7}" y="${y + 13 + BAR - 1}">${label}</text>`,
  ]
}
