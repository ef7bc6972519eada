/** The lines of a text file of any size, in bounded memory. */
import { createReadStream } from 'node:fs'

const NEWLINE = 0x0a
const PIECE_BYTES = 256 * 1024
/** A line as long as that has no end: a hole of a terabyte costs whoever makes it nothing, and reading it hours. */
const ENDLESS_BYTES = 2 ** 27

/**
 * Yields the lines as they come, some at a time; of a line longer than `maxBytes` only that it was there: `null`; of
 * a file with an endless one, nothing after it.
 * @param source a path, where `-` is stdin; or an open file, which is closed in the end
 */
export async function* linesOf(source: string | number, maxBytes: number): AsyncGenerator<(string | null)[]> {
  const stream = source === '-' ? process.stdin : open(source)
  let rest: Buffer = Buffer.alloc(0)
  let tooLong = false
  let skipped = 0
  for await (const piece of stream as AsyncIterable<Buffer>) {
    const bytes: Buffer = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const end = bytes.lastIndexOf(NEWLINE)
    rest = bytes.subarray(end + 1)
    if (end !== -1) {
      const lines = split(bytes, end, maxBytes)
      if (tooLong) lines[0] = null
      tooLong = false
      skipped = 0
      yield lines
    }
    if (rest.length > maxBytes) tooLong = true
    if (!tooLong) continue
    // What is too long anyway need not be kept.
    skipped += rest.length
    rest = Buffer.alloc(0)
    if (skipped > ENDLESS_BYTES) break
  }
  if (tooLong) yield [null]
  else if (rest.length > 0) yield [rest.toString('utf8')]
}

function open(source: string | number): NodeJS.ReadableStream {
  const options = { highWaterMark: PIECE_BYTES }
  return typeof source === 'number'
    ? createReadStream('', { ...options, fd: source })
    : createReadStream(source, options)
}

function split(bytes: Buffer, end: number, maxBytes: number): (string | null)[] {
  const lines = bytes.toString('utf8', 0, end).split('\n')
  return lines.map((line) => (line.length > maxBytes ? null : line))
}
