/**
 * Stages: where a write is made before it is published. One a write, named by 128 random bits, never by a pid: two
 * containers may have the same. What a crash leaves here is a leftover, and leftovers.ts removes it.
 */
import type { Disk } from '../host/disk.js'
import { attempt } from '../host/disk-errors.js'
import { assertInside } from './inside.js'
import { FILES } from './layout.js'
import { type Source, writeSource } from './bytes.js'
import { LatchError } from '../core/errors.js'

export interface Staged {
  path: string
  /** Open, so that whoever asks later can tell it from another thing of that name. */
  fd: number
}

/** An entry's stage: a directory with an empty `files/`. All three resolve to the stage, open. */
export async function stageEntry(disk: Disk, path: string): Promise<number> {
  await disk.mkdir(path)
  await disk.mkdir(`${path}/${FILES}`)
  return disk.openRead(path)
}

export async function stageDirectory(disk: Disk, path: string): Promise<number> {
  await disk.mkdir(path)
  return disk.openRead(path)
}

/** With `mode`, whatever the umask says. */
export async function stageFile(disk: Disk, path: string, mode: number | undefined): Promise<number> {
  const fd = await disk.createExclusive(path, mode ?? 0o666)
  try {
    if (mode !== undefined) await disk.chmod(path, mode)
    return fd
  } catch (error) {
    await disk.close(fd)
    throw error
  }
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

/** Removes what is there, if anything still is. Never fails: what stays is gc's. */
export async function discard(disk: Disk, path: string): Promise<void> {
  await attempt(
    disk.lstat(path).then(async (stats) => {
      if (stats.isDirectory()) return disk.removeTree(path)
      await assertInside(disk, path)
      return disk.unlink(path)
    }),
  )
}
