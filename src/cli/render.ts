/** What goes to stdout: columns for people, one JSON object for programs. */
import { printable } from '../core/printable.js'
import { writeAtOnce } from '../host/output.js'

/** Columns as wide as they need to be, two spaces apart, of text from anywhere; `right` names those with numbers. The last one is not padded. */
export function columns(cells: readonly string[][], right: ReadonlySet<number> = new Set()): string {
  const rows = cells.map((row) => row.map(printable))
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  const pad = (cell: string, index: number, last: boolean): string => {
    if (right.has(index)) return cell.padStart(widths[index]!)
    return last ? cell : cell.padEnd(widths[index]!)
  }
  return rows
    .map((row) => row.map((cell, index) => pad(cell, index, index === row.length - 1)).join('  '))
    .map((line) => `${line}\n`)
    .join('')
}

const PIECE_BYTES = 64 * 1024
let usesStream = false

/** Waits for the reader of a pipe; nothing is lost when the process ends afterwards. */
export async function print(text: string): Promise<void> {
  const rest = usesStream ? Buffer.from(text) : writeAtOnce(text)
  if (rest.length === 0) return
  if (!usesStream) process.stdout.on('error', endQuietly)
  usesStream = true
  for (let start = 0; start < rest.length; start += PIECE_BYTES) {
    const piece = rest.subarray(start, start + PIECE_BYTES)
    await new Promise<void>((resolve) => void process.stdout.write(piece, () => resolve()))
  }
}

/** Who reads only the first lines (`| head`) closes the pipe: that ends the printing, and is no error. */
function endQuietly(error: Error): void {
  if ('code' in error && error.code === 'EPIPE') process.exit(0)
  throw error
}

export function printJson<Report extends { schema: 1 }>(report: Report): Promise<void> {
  return print(`${JSON.stringify(report)}\n`)
}
