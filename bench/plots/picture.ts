/** Panels side by side on one sheet, with a title above and the conditions below. */
import { type Markup, xml } from '../../src/cli/timeline/markup.js'
import { MARGIN, STYLE, WIDTH, wrapped } from './style.js'

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export interface Panel {
  height: number
  draw(box: Box): Markup[]
}

const GAP = 36
const COLUMNS = 2
const HEAD = 62
const ROW_GAP = 18
const LINE = 16

/** Two beside each other, then the next two. */
export function picture(title: string, panels: Panel[], conditions: string): string {
  const columns = Math.min(COLUMNS, panels.length)
  const width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
  const drawn: Markup[] = []
  let y = HEAD
  for (let first = 0; first < panels.length; first += columns) {
    const row = panels.slice(first, first + columns)
    const height = Math.max(...row.map((panel) => panel.height))
    row.forEach((panel, column) => {
      drawn.push(...panel.draw({ x: MARGIN + column * (width + GAP), y, width, height }))
    })
    y += height + ROW_GAP
  }
  const lines = wrapped(conditions, WIDTH - 2 * MARGIN)
  const height = y + lines.length * LINE + 12
  return `${
    xml`<svg xmlns="http://www.w3.org/2000/svg" class="bp" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${title}">
${STYLE}
<rect class="paper" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="title" x="${MARGIN}" y="36">${title}</text>
${drawn}
${lines.map((line, index) => xml`<text class="small" x="${MARGIN}" y="${y + 10 + index * LINE}">${line}</text>`)}
</svg>`.text
  }\n`
}
