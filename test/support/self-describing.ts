/**
 * Files that describe themselves: the first line has the length and the hash of the rest, and what it belongs to. So
 * whoever reads one knows, without asking the library, whether it is whole and whose it is.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export interface Description {
  unit: string
  /** The same in all files of one unit that one worker has made. */
  id: string
  length: number
  sha256: string
}

/** In place and in pieces, as JAX does it. @param pause between the pieces */
export async function writeDescribed(
  path: string,
  { unit, id }: { unit: string; id: string },
  body: Buffer,
  pause: () => Promise<void>,
): Promise<void> {
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, firstLine({ unit, id }, body))
    const piece = Math.ceil(body.length / 4)
    for (let start = 0; start < body.length; start += piece) {
      await pause()
      writeSync(fd, body, start, Math.min(piece, body.length - start))
    }
  } finally {
    closeSync(fd)
  }
}

/** The whole file, for whoever writes it by other means. */
export function described(belongs: { unit: string; id: string }, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(firstLine(belongs, body)), body])
}

function firstLine({ unit, id }: { unit: string; id: string }, body: Buffer): string {
  const description: Description = { unit, id, length: body.length, sha256: hashOf(body) }
  return `${JSON.stringify(description)}\n`
}

/** @throws when it is not whole, or of another unit */
export function readDescribed(path: string, unit: string): Description {
  const bytes = readFileSync(path)
  const end = bytes.indexOf('\n')
  if (end < 0) throw new Error(`${path} is truncated in its first line`)
  const description = JSON.parse(String(bytes.subarray(0, end))) as Description
  const body = bytes.subarray(end + 1)
  if (body.length !== description.length)
    throw new Error(`${path} has ${body.length} of ${description.length} bytes`)
  if (hashOf(body) !== description.sha256) throw new Error(`${path} is not what was written`)
  if (description.unit !== unit) throw new Error(`${path} is of ${description.unit}`)
  return description
}

/** The id of a unit of several files; `null` while it has none. @throws when it is mixed, or one file is not whole */
export function readGroup(directory: string, unit: string, files = readdirSync(directory)): string | null {
  const ids = files.map((file) => readDescribed(join(directory, file), unit).id)
  if (new Set(ids).size > 1) throw new Error(`${directory} is mixed: ${ids.join(', ')}`)
  return ids[0] ?? null
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
