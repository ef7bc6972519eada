/** Fills a disk but for some bytes; what it holds is free again when it is disposed of. */
import {
  closeSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const PIECE = Buffer.alloc(256 * 1024, 0x5a)

/** A file of ballast in `directory`, so large that about `freeBytes` are left. */
export function fillDisk(directory: string, freeBytes: number): Disposable {
  const path = join(directory, 'ballast')
  const fd = openSync(path, 'w')
  try {
    for (;;) writeSync(fd, PIECE)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(fd)
  }
  // What is written late counts from now on, and not when it suits the file system.
  execFileSync('sync', ['-f', directory])
  while (free(directory) < freeBytes && statSync(path).size > 0)
    truncateSync(path, Math.max(0, statSync(path).size - PIECE.length))
  // btrfs frees whole extents, so it may be far too much by now.
  const rest = `${path}-too`
  const pieces = Math.max(0, Math.floor((free(directory) - freeBytes) / PIECE.length))
  writeFileSync(rest, Buffer.alloc(pieces * PIECE.length, PIECE))
  execFileSync('sync', ['-f', directory])
  return {
    [Symbol.dispose]() {
      for (const each of [path, rest]) rmSync(each, { force: true })
    },
  }
}

function free(directory: string): number {
  execFileSync('sync', ['-f', directory])
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}
