/** From what a command printed to the rows of a terminal: characters with a colour each. */
import type { Chunk } from './record.js'

interface Cell {
  character: string
  /** A number of SGR, 30 to 37 or 90 to 97; 0: the terminal's own. */
  colour: number
  isBold: boolean
  isDim: boolean
}

export interface Row {
  /** When its first character came. */
  atMs: number
  cells: Cell[]
}

type Pen = Omit<Cell, 'character'>

const PLAIN: Pen = { colour: 0, isBold: false, isDim: false }
/** What a command without animation prints: colours, ends of lines, characters. Other control sequences are left out. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const TOKEN = /\u001B\[([\d;]*)m|\u001B\[[\d;?]*[A-Za-z]|(\r?\n)|([^\u0000-\u001F])/gu

/** Rows that are longer than `columns` go on in the next one. */
export function rowsOf(chunks: readonly Chunk[], columns: number): Row[] {
  const rows: Row[] = []
  let pen = PLAIN
  let isOpen = false
  for (const { atMs, text } of chunks) {
    for (const [, style, end, character] of text.matchAll(TOKEN)) {
      if (style !== undefined) pen = style.split(';').reduce(styled, pen)
      if (end === undefined && character === undefined) continue
      if (!isOpen || (character !== undefined && rows.at(-1)!.cells.length === columns))
        rows.push({ atMs, cells: [] })
      isOpen = end === undefined
      if (character !== undefined) rows.at(-1)!.cells.push({ character, ...pen })
    }
  }
  return rows
}

function styled(pen: Pen, code: string): Pen {
  const number = Number(code)
  if (number === 0) return PLAIN
  if (number === 1) return { ...pen, isBold: true }
  if (number === 2) return { ...pen, isDim: true }
  if (number === 22) return { ...pen, isBold: false, isDim: false }
  if (number === 39) return { ...pen, colour: 0 }
  return (number >= 30 && number <= 37) || (number >= 90 && number <= 97) ? { ...pen, colour: number } : pen
}

/** Cells that look alike, as one: where it begins and its text. */
export function runsOf({ cells }: Row): (Pen & { column: number; text: string })[] {
  const runs: (Pen & { column: number; text: string })[] = []
  cells.forEach(({ character, ...pen }, column) => {
    const last = runs.at(-1)
    const goesOn =
      last?.colour === pen.colour &&
      last.isBold === pen.isBold &&
      last.isDim === pen.isDim &&
      (isBlock(last.text) || isBlock(character) ? last.text.endsWith(character) : true)
    if (goesOn) last.text += character
    else runs.push({ ...pen, column, text: character })
  })
  return runs
}

/** Characters that are drawn as areas, which no font agrees on. */
export const BLOCKS: Record<string, { opacity: number; height: number }> = {
  '█': { opacity: 1, height: 0.84 },
  '▓': { opacity: 0.75, height: 0.84 },
  '▒': { opacity: 0.55, height: 0.84 },
  '░': { opacity: 0.3, height: 0.5 },
  '─': { opacity: 1, height: 0.12 },
}

function isBlock(text: string): boolean {
  return text !== '' && BLOCKS[text[0]!] !== undefined
}
