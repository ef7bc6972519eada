/**
 * Any write to any path: a lock beside the target, a stage, one rename. The books are kept in `.cachelatch/v1` next
 * to the target, so that stage and target are on one file system and the rename is one step.
 */
import { resolve } from 'node:path'
import { LatchError } from '../core/errors.js'
import type { Disk } from '../host/disk.js'
import { explain, orElse } from '../host/disk-errors.js'
import { type Host, realHost } from '../host/host.js'
import type { Lease } from '../lock/locker.js'
import type { Source } from '../store/bytes.js'
import { placeDirectory, placeFile, replaceDirectory, unusable } from '../store/place.js'
import { fillFile, stageDirectory, stageFile } from '../store/stage.js'
import { readTree, syncTree } from '../store/tree.js'
import { cacheToBlame } from './blame.js'
import { CallerError, asCaller } from './caller-error.js'
import { fromCaller } from './caller-source.js'
import { type Opened, foreignLockPath } from './open.js'
import { type LockOptions, type SharedLockOptions, memoOf, placesOf } from './place.js'
import { inStage, sweepOnce } from './staging.js'

interface WriteFileOptions extends LockOptions {
  mode?: number | undefined
}

export interface WriteDirectoryOptions extends LockOptions {
  /** What to do when the directory is there: leave it and not even call `fill` (default), or put the new one in its place. */
  ifExists?: 'keep' | 'replace' | undefined
}

/**
 * Runs `work` while holding the lock of `path`, which need not exist. Within `work`, the calls of this module for the
 * same path do not wait for it.
 * @throws LatchError WAIT_TIMEOUT, LOCK_UNAVAILABLE, UNSAFE_PATH and those of the disk; `signal.reason`; what `work` throws
 */
export function withLock<T>(
  path: string,
  work: (lease: Lease) => T | Promise<T>,
  options: SharedLockOptions = {},
): Promise<T> {
  return withLockOn(realHost(), path, work, options)
}

/** As `withLock`, on a host of the caller's making. */
export function withLockOn<T>(
  host: Host,
  path: string,
  work: (lease: Lease) => T | Promise<T>,
  options: SharedLockOptions = {},
): Promise<T> {
  return placesOf(host).locked(path, options, (_place, lease) => asCaller(() => work(lease)))
}

/**
 * The file that another program must lock (Python: `filelock.FileLock(path)`) to exclude `withLock(path)`.
 * @throws LatchError LOCK_UNAVAILABLE where the lock is no kernel lock: another program cannot take part
 */
export async function lockPath(path: string, options: LockOptions = {}): Promise<string> {
  const absolute = resolve(path)
  try {
    const { opened, lock } = await placesOf(realHost()).locate(absolute, options, memoOf(absolute, options))
    return foreignLockPath(opened, lock)
  } catch (error) {
    throw explain(error, 'Finding the lock', absolute)
  }
}

/**
 * Writes a file whole: readers see the old one or the new one, and what was reported written is on the device.
 * Replaces a file that is there and keeps its mode; a symbolic link is replaced, not followed.
 */
export async function writeFile(path: string, source: Source, options: WriteFileOptions = {}): Promise<void> {
  return writeFileOn(realHost(), path, source, options)
}

/** As `writeFile`, on a host of the caller's making. */
export async function writeFileOn(
  host: Host,
  path: string,
  source: Source,
  options: WriteFileOptions = {},
): Promise<void> {
  const once = fromCaller(source, options.signal)
  await placesOf(host).locked(path, options, async ({ opened, target, parent }) => {
    const { disk } = opened
    await sweepOnce(opened)
    const existing = await orElse(disk.lstat(target), null, 'ENOENT')
    const mode = options.mode ?? (existing?.isFile() ? existing.mode & 0o7777 : undefined)
    await inStage(
      opened,
      (stage) => stageFile(disk, stage, mode),
      async (stage) => {
        await fillFile(disk, stage.fd, once, options.signal)
        await placeFile(disk, stage, target, parent)
      },
    )
  })
}

/**
 * Fills a private directory and puts it at `path` in one step. `kept`: one was there, and stays. `fill` is called
 * once more when somebody removed the directory that it was given.
 * @throws LatchError BUILD_INVALID when `fill` leaves nothing, or what cannot be published; TARGET_UNUSABLE where
 *   something that is no directory stands
 */
export async function writeDirectory(
  path: string,
  fill: (dir: string) => void | Promise<void>,
  options: WriteDirectoryOptions = {},
): Promise<{ outcome: 'written' | 'kept' | 'replaced' }> {
  const host = realHost()
  return placesOf(host).locked(path, options, async ({ opened, target, parent }) => {
    const { disk } = opened
    const keep = (options.ifExists ?? 'keep') === 'keep'
    if ((await isFilledDirectory(disk, target)) && keep) return { outcome: 'kept' }
    await sweepOnce(opened)
    return inStage(
      opened,
      (stage) => stageDirectory(disk, stage),
      async (stage) => {
        await fillByCaller(opened, stage.path, fill)
        options.signal?.throwIfAborted()
        const tree = await readTree(disk, stage.path)
        if (tree.files.length === 0) throw nothingLeft(stage.path)
        await syncTree(disk, stage.path, tree)
        if (await placeDirectory(disk, stage, target, parent)) return { outcome: 'written' }
        if (keep) return { outcome: 'kept' }
        await replaceDirectory(disk, host.native, stage, target, parent)
        return { outcome: 'replaced' }
      },
    )
  })
}

async function fillByCaller(
  opened: Opened,
  stage: string,
  fill: (dir: string) => void | Promise<void>,
): Promise<void> {
  try {
    await fill(stage)
  } catch (error) {
    throw (await cacheToBlame(opened, stage, error)) ?? new CallerError(error)
  }
}

/** An empty directory holds nothing to keep: publishing replaces it. */
async function isFilledDirectory(disk: Disk, path: string): Promise<boolean> {
  const stats = await orElse(disk.lstat(path), null, 'ENOENT')
  if (stats === null) return false
  if (!stats.isDirectory()) throw unusable(path)
  return (await disk.readdir(path)).length > 0
}

function nothingLeft(path: string): LatchError {
  return new LatchError('BUILD_INVALID', 'The directory was left without a file.', {
    hint: 'Write into the directory that the function was given.',
    path,
  })
}
