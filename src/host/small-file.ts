/**
 * Records that anybody may have written: read bounded, never through a link, never stuck on a FIFO; written whole,
 * and never through a link either.
 */
import { randomBytes } from 'node:crypto'
import { LatchError } from '../core/errors.js'
import type { Disk, Stats } from './disk.js'
import { attempt } from './disk-errors.js'

/** @throws errno errors, and LatchError UNSAFE_PATH for what is no regular file or larger than `maxBytes`. */
export async function readSmallFile(disk: Disk, path: string, maxBytes: number): Promise<string> {
  const fd = await disk.openRead(path)
  try {
    return await readSmall(disk, fd, path, await regularFile(disk, fd, path), maxBytes)
  } finally {
    await disk.close(fd)
  }
}

export async function readSmall(
  disk: Disk,
  fd: number,
  path: string,
  { size }: Stats,
  maxBytes: number,
): Promise<string> {
  if (size > maxBytes) throw unsafe(path, `is ${size} bytes long, over ${maxBytes}`)
  const bytes = Buffer.allocUnsafe(size)
  const length = await disk.read(fd, bytes, 0)
  return bytes.toString('utf8', 0, length)
}

export async function regularFile(disk: Disk, fd: number, path: string): Promise<Stats> {
  const stats = await disk.fstat(fd)
  if (!stats.isFile()) throw unsafe(path, 'is no regular file')
  return stats
}

/**
 * Replaces the record at `path`, without fsync: for what may be lost, but never half there. write-file-atomic follows
 * a link that stands at its target, and names its temporaries by pid, which two containers share; so it writes to a
 * name of our own making, and the rename is ours.
 */
export async function writeRecord(disk: Disk, path: string, record: unknown): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic')
  const draft = `${path}.${randomBytes(16).toString('hex')}`
  try {
    await writeFileAtomic(draft, JSON.stringify(record), { fsync: false })
    await disk.rename(draft, path)
  } catch (error) {
    await attempt(disk.unlink(draft))
    throw error
  }
}

function unsafe(path: string, problem: string): LatchError {
  return new LatchError('UNSAFE_PATH', `${path} ${problem}.`, {
    hint: 'Somebody else put it there: look at it, then remove it.',
    path,
  })
}
