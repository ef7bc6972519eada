/** What can be written to a file: bytes in any wrapping, text, or a stream of these. */
import type { Disk } from '../host/disk.js'

export type Chunk = string | ArrayBuffer | SharedArrayBuffer | ArrayBufferView
/** Streams are read as fast as they can be written: memory does not grow with the payload. */
export type Source = Chunk | Blob | Iterable<Chunk> | AsyncIterable<Chunk>

/** Text is encoded in pieces of this many UTF-16 units, so that a large string is not held twice. */
const TEXT_PIECE = 256 * 1024

/** Writes all of `source`; returns the number of bytes. @throws TypeError for what is neither bytes nor text */
export async function writeSource(
  disk: Disk,
  fd: number,
  source: Source,
  signal?: AbortSignal,
): Promise<number> {
  if (isChunk(source)) return writeChunk(disk, fd, source, signal)
  let written = 0
  /** A stream of text may be cut in the middle of a surrogate pair. */
  let half = ''
  for await (const chunk of chunksOf(source)) {
    if (!isChunk(chunk))
      throw new TypeError(`A stream of bytes or text is needed; it yielded ${describe(chunk)}.`)
    if (typeof chunk === 'string') {
      const text = half + chunk
      half = endsInHalf(text) ? text.slice(-1) : ''
      written += await writeChunk(disk, fd, half ? text.slice(0, -1) : text, signal)
    } else {
      written += await writeChunk(disk, fd, half, signal)
      half = ''
      written += await writeChunk(disk, fd, chunk, signal)
    }
  }
  return written + (await writeChunk(disk, fd, half, signal))
}

const endsInHalf = (text: string): boolean => isHighSurrogate(text.charCodeAt(text.length - 1))

function chunksOf(source: Exclude<Source, Chunk>): Iterable<Chunk> | AsyncIterable<Chunk> {
  if (source instanceof Blob) return source.stream()
  const isIterable =
    typeof source === 'object' &&
    source !== null &&
    (Symbol.asyncIterator in source || Symbol.iterator in source)
  if (!isIterable) throw new TypeError(`Bytes, text or a stream of these is needed, not ${describe(source)}.`)
  return source
}

async function writeChunk(disk: Disk, fd: number, chunk: Chunk, signal?: AbortSignal): Promise<number> {
  let written = 0
  for (const bytes of typeof chunk === 'string' ? encode(chunk) : [bytesOf(chunk)]) {
    signal?.throwIfAborted()
    await disk.write(fd, bytes)
    written += bytes.byteLength
  }
  return written
}

function* encode(text: string): Generator<Uint8Array> {
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + TEXT_PIECE, text.length)
    const splitsPair = end < text.length && isHighSurrogate(text.charCodeAt(end - 1))
    if (splitsPair) end -= 1
    yield Buffer.from(text.slice(start, end))
    start = end
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd8_00 && unit <= 0xdb_ff

function isChunk(value: unknown): value is Chunk {
  return (
    typeof value === 'string' ||
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    value instanceof SharedArrayBuffer
  )
}

/** All bytes of a view, whatever its element size: `length` counts elements, `byteLength` bytes. */
function bytesOf(chunk: Exclude<Chunk, string>): Uint8Array {
  return ArrayBuffer.isView(chunk)
    ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    : new Uint8Array(chunk)
}

function describe(value: unknown): string {
  return value === null
    ? 'null'
    : typeof value === 'object'
      ? `a ${value.constructor?.name ?? 'object'}`
      : typeof value
}
