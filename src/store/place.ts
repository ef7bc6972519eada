/**
 * The rename of what is written to a path outside of a cache: one file, or one directory, whole or not at all.
 *
 * Invariants, as in publish.ts: after an error, look whether the rename happened all the same (a lost answer of an NFS
 * server) before failing; what comes after a good rename never makes it fail.
 */
import { LatchError } from '../core/errors.js'
import type { Disk, Stats } from '../host/disk.js'
import { attempt, isErrno } from '../host/disk-errors.js'
import type { Native } from '../host/native.js'
import { type Staged, discard } from './stage.js'
import { syncName } from './tree.js'

/**
 * What is open as the stage now stands at the target: our own rename arrived. Nothing less proves it: a stage that is
 * gone may have been removed, and what stands at the target may be the old file.
 */
export async function hasHappened(disk: Disk, stage: Staged, target: string): Promise<boolean> {
  try {
    return await isAt(disk, await disk.fstat(stage.fd), target)
  } catch {
    return false
  }
}

async function isAt(disk: Disk, { ino, dev }: Stats, path: string): Promise<boolean> {
  const there = await disk.lstat(path)
  return ino === there.ino && dev === there.dev
}

/** One file onto its final name, replacing what file is there. */
export async function placeFile(disk: Disk, stage: Staged, target: string, parent: string): Promise<void> {
  try {
    await disk.rename(stage.path, target)
  } catch (error) {
    if (!(await hasHappened(disk, stage, target)))
      throw isErrno(error, 'EISDIR', 'ENOTDIR') ? unusable(target, error) : error
  }
  await syncName(disk, parent)
}

/** A directory onto a name where none is yet; `false`: something is there. */
export async function placeDirectory(
  disk: Disk,
  stage: Staged,
  target: string,
  parent: string,
): Promise<boolean> {
  try {
    await disk.rename(stage.path, target)
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false
    if (!(await hasHappened(disk, stage, target)))
      throw isErrno(error, 'ENOTDIR') ? unusable(target, error) : error
  }
  await syncName(disk, parent)
  return true
}

/**
 * A directory in place of another. In one call where the kernel can exchange; else by two renames, and between them
 * the name is missing for some microseconds, or until the next write if the process dies there.
 */
export async function replaceDirectory(
  disk: Disk,
  native: Native | null,
  stage: Staged,
  target: string,
  parent: string,
): Promise<void> {
  if (native && (await exchange(disk, native, stage, target))) {
    await syncName(disk, parent)
    return discard(disk, stage.path) // The old one.
  }
  const old = `${stage.path}-old`
  await moveAway(disk, target, old)
  try {
    await disk.rename(stage.path, target)
  } catch (error) {
    if (!(await hasHappened(disk, stage, target))) {
      await attempt(disk.rename(old, target))
      throw error
    }
  }
  await syncName(disk, parent)
  await discard(disk, old)
}

async function exchange(disk: Disk, native: Native, stage: Staged, target: string): Promise<boolean> {
  try {
    return native.exchange(stage.path, target)
  } catch (error) {
    if (await hasHappened(disk, stage, target)) return true
    throw error
  }
}

/** What has been moved in spite of an error is not lost: the second rename follows, or the way back. */
async function moveAway(disk: Disk, target: string, old: string): Promise<void> {
  const stats = await disk.lstat(target)
  try {
    await disk.rename(target, old)
  } catch (error) {
    if (!(await isAt(disk, stats, old).catch(() => false))) throw error
  }
}

/** Something of another kind stands at the target. */
export function unusable(target: string, cause?: unknown): LatchError {
  return new LatchError('TARGET_UNUSABLE', `${target} is of another kind, and is not replaced.`, {
    hint: 'A file replaces a file, a directory a directory: remove what stands there, or choose another name.',
    path: target,
    cause,
  })
}
