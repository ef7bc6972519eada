/** A terminal as a picture: its rows appear as they were printed, and stay. Without animation all of them are there. */
import { Markup, xml } from '../../src/cli/timeline/markup.js'
import { BLOCKS, type Row, runsOf } from './screen.js'

export interface Look {
  title: string
  note: string
  columns: number
}

const CELL = 8.2
const ROW = 18
const FONT = 13.5
const MARGIN = 20
const BAR = 40
/** Nobody wants to watch a compiler: a longer pause is shown as this one. */
const LONGEST_PAUSE_MS = 1_200

const LIGHT = ['#cf222e', '#1a7f37', '#b57a00', '#2f6fde', '#8250df', '#0c8a99']
const DARK = ['#f4625e', '#46b565', '#d9a32b', '#4d8ff5', '#b58bec', '#2bb3c0']
/** SGR 31 to 36 and 91 to 96. */
const colours = (of: string[]): string =>
  of.map((colour, index) => `.te .c${index + 31}{fill:${colour}}`).join('')

const STYLE = new Markup(`<style>
.te text{font:${FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}
.te .paper{fill:#fff;stroke:#d8dee4}.te .bar{fill:#f6f8fa}.te .rule{stroke:#d8dee4}
.te .title,.te .note{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:12px;fill:#656d76}
.te .bold{font-weight:700}.te .dim{opacity:.55}
${colours(LIGHT)}
.te .row{animation:te-appear .01s backwards}
@keyframes te-appear{from{opacity:0}to{opacity:1}}
@media (prefers-reduced-motion:reduce){.te .row{animation:none}}
@media (prefers-color-scheme:dark){
.te .paper{fill:#0d1117;stroke:#30363d}.te .bar{fill:#151b23}.te .rule{stroke:#30363d}.te text{fill:#e6edf3}.te .title,.te .note{fill:#8d96a0}
${colours(DARK)}
}
</style>`)

export function terminalSvg(rows: readonly Row[], { title, note, columns }: Look): string {
  const width = Math.round(columns * CELL + 2 * MARGIN)
  const height = BAR + rows.length * ROW + 2 * MARGIN - 6
  const times = withoutPauses(rows)
  return `${
    xml`<svg xmlns="http://www.w3.org/2000/svg" class="te" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">
${STYLE}
<rect class="paper" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
<path class="bar" d="M1 ${BAR}V9a8 8 0 0 1 8 -8H${width - 9}a8 8 0 0 1 8 8V${BAR}z"/><path class="rule" d="M1 ${BAR}H${width - 1}"/>
${['#f4625e', '#e8b339', '#3fa45b'].map((colour, index) => xml`<circle cx="${22 + index * 19}" cy="20.5" r="6" fill="${colour}"/>`)}
<text class="title" x="86" y="25">${title}</text><text class="note" x="${width - MARGIN}" y="25" text-anchor="end">${note}</text>
${rows.map((row, index) => drawRow(row, times[index]!, BAR + MARGIN + index * ROW))}
</svg>`.text
  }\n`
}

function withoutPauses(rows: readonly Row[]): number[] {
  let shown = 0
  return rows.map(({ atMs }, index) => {
    shown += Math.min(atMs - (rows[index - 1]?.atMs ?? 0), LONGEST_PAUSE_MS)
    return shown
  })
}

function drawRow(row: Row, atMs: number, y: number): Markup {
  const seconds = Math.round(atMs / 10) / 100
  return xml`<g class="row" style="animation-delay:${seconds}s">${runsOf(row).map((run) => drawRun(run, y))}</g>`
}

function drawRun(
  { column, text, colour, isBold, isDim }: ReturnType<typeof runsOf>[number],
  y: number,
): Markup {
  // The bright ones look as the others do.
  const tone = colour === 0 ? '' : `c${colour >= 90 ? colour - 60 : colour}`
  const style = [tone, isBold ? 'bold' : '', isDim ? 'dim' : ''].filter(Boolean).join(' ')
  const block = BLOCKS[text[0]!]
  if (block !== undefined)
    return drawBlock(style, block, { x: left(column), y, width: round(text.length * CELL) })
  // Each by itself: what is in columns stays there, whatever becomes of spaces and fonts.
  const words = [...text.matchAll(/\S+(?: \S+)*/gu)].map(({ 0: word, index }) => {
    const width = round(word.length * CELL)
    return xml`<text class="${style}" x="${left(column + index)}" y="${y}" textLength="${width}">${word}</text>`
      .text
  })
  return new Markup(words.join(''))
}

function drawBlock(
  style: string,
  { opacity, height }: (typeof BLOCKS)[string],
  { x, y, width }: { x: number; y: number; width: number },
): Markup {
  const tall = round(ROW * height)
  const top = round(y - 4.5 - tall / 2)
  return xml`<rect class="${style}" x="${x}" y="${top}" width="${width}" height="${tall}" opacity="${opacity}"/>`
}

function left(column: number): number {
  return round(MARGIN + column * CELL)
}

function round(pixels: number): number {
  return Math.round(pixels * 100) / 100
}
