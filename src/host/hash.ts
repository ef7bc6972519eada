/** SHA-256 in hex, the only hash that is used. */
import { createHash, hash as hashAtOnce } from 'node:crypto'
import type { Disk } from './disk.js'

export function sha256(text: string): string {
  // crypto.hash is Node 20.12 and 21.7; Bun and Deno may lack it.
  return hashAtOnce ? hashAtOnce('sha256', text, 'hex') : createHash('sha256').update(text).digest('hex')
}

const CHUNK_BYTES = 1024 * 1024

/** Hash of the first `size` bytes of an open file, read in pieces. @param onBytes called with the size of each */
export async function sha256File(
  disk: Disk,
  fd: number,
  size: number,
  onBytes: (count: number) => void = () => undefined,
): Promise<string> {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(Math.min(size, CHUNK_BYTES))
  for (let position = 0; position < size;) {
    const count = await disk.read(fd, chunk.subarray(0, Math.min(chunk.length, size - position)), position)
    if (count === 0) break
    hash.update(chunk.subarray(0, count))
    position += count
    onBytes(count)
  }
  return hash.digest('hex')
}
