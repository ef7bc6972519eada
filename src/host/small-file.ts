/**
 * Records that anybody may have written: read bounded, never through a link, never stuck on a FIFO; written whole,
 * and never through a link either.
 */
import { LatchError } from '../core/errors.js'
import type { Disk, Stats } from './disk.js'
import { attempt } from './disk-errors.js'
import { type Steps, run, step } from './steps.js'

/** @throws errno errors, and LatchError UNSAFE_PATH for what is no regular file or larger than `maxBytes`. */
export async function readSmallFile(disk: Disk, path: string, maxBytes: number): Promise<string> {
  return run(disk, openAndRead(path, maxBytes))
}

function* openAndRead(path: string, maxBytes: number): Steps<string> {
  const fd = yield* step('openRead', path)
  try {
    return (yield* readSmall(fd, path, maxBytes)).text
  } finally {
    yield* step('close', fd)
  }
}

export function* readSmall(
  fd: number,
  path: string,
  maxBytes: number,
): Steps<{ text: string; stats: Stats }> {
  const stats = yield* step('fstat', fd)
  if (!stats.isFile()) throw unsafe(path, 'is no regular file')
  if (stats.size > maxBytes) throw unsafe(path, `is ${stats.size} bytes long, over ${maxBytes}`)
  const bytes = Buffer.allocUnsafe(stats.size)
  const length = yield* step('read', fd, bytes, 0)
  return { text: bytes.toString('utf8', 0, length), stats }
}

/**
 * Replaces the record at `path`, without fsync: for what may be lost, but never half there. write-file-atomic follows
 * a link that stands at its target, and names its temporaries by pid, which two containers share; so it writes to a
 * name of our own making, and the rename is ours.
 * @param token 128 random bits, which nobody can have foreseen
 */
export async function writeRecord(disk: Disk, path: string, record: unknown, token: string): Promise<void> {
  const draft = `${path}.${token}`
  try {
    await disk.writeWhole(draft, JSON.stringify(record))
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
