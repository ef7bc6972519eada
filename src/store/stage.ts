/**
 * Stages: where a write is made before it is published. One a write, named by 128 random bits, never by a pid: two
 * containers may have the same. What a crash leaves here is a leftover, and collect.ts removes it.
 */
import type { Disk } from '../host/disk.js'
import { attempt, orElse } from '../host/disk-errors.js'
import { removeTree } from '../host/trees.js'
import { FILES, type Layout } from './layout.js'
import { type Source, writeSource } from './bytes.js'
import { LatchError } from '../core/errors.js'

/** An entry's stage: a directory with an empty `files/`. */
export async function stageEntry(disk: Disk, layout: Layout, token: string): Promise<string> {
  const path = layout.staged(token)
  await disk.mkdir(path)
  await disk.mkdir(`${path}/${FILES}`)
  return path
}

export async function stageDirectory(disk: Disk, layout: Layout, token: string): Promise<string> {
  const path = layout.staged(token)
  await disk.mkdir(path)
  return path
}

/** Writes `source` to the open stage file, brings it to the device, and checks that all of it is there. */
export async function fillFile(
  disk: Disk,
  fd: number,
  source: Source,
  signal?: AbortSignal,
): Promise<number> {
  const bytes = await writeSource(disk, fd, source, signal)
  await disk.sync(fd)
  const { size } = await disk.fstat(fd)
  if (size === bytes) return bytes
  throw new LatchError('DISK_ERROR', `${bytes} bytes were written, and the file has ${size}.`, {
    hint: 'The file system lost bytes without an error: nothing was published. Check it before you go on.',
  })
}

/** Removes a stage, or what is left of it. Never fails: what stays is gc's. */
export async function discard(disk: Disk, path: string): Promise<void> {
  // Mostly the rename has taken it away: then fs-extra is not even loaded.
  const isThere = await orElse(disk.lstat(path), null, 'ENOENT', 'ENOTDIR').catch(() => null)
  if (isThere !== null) await attempt(removeTree(path))
}
