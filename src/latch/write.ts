/**
 * Any write to any path: a lock beside the target, a stage, one rename. The books are kept in `.cachelatch/v1` next
 * to the target, so that stage and target are on one file system and the rename is one step.
 */
import { basename, dirname, resolve } from 'node:path'
import { LatchError } from '../core/errors.js'
import type { Disk } from '../host/disk.js'
import { attempt, explain, orElse } from '../host/disk-errors.js'
import { realHost } from '../host/host.js'
import { linkIdentity, makeRealDirectory } from '../host/temporary.js'
import type { Lease, LockerKind, Wait } from '../lock/locker.js'
import type { Source } from '../store/bytes.js'
import { bookkeepingRoot, lockName } from '../store/layout.js'
import { placeDirectory, placeFile, replaceDirectory, unusable } from '../store/publish.js'
import { fillFile, stageDirectory, stageFile } from '../store/stage.js'
import { readTree, syncTree } from '../store/tree.js'
import { CallerError, asCaller } from './caller-error.js'
import { fromCaller } from './caller-source.js'
import { cacheToBlame } from './blame.js'
import { announceWait } from './events.js'
import { heldHere, whileHolding } from './holding.js'
import { type Opened, foreignLockPath, openRoot, withSecondChance } from './open.js'
import { inStage, sweepOnce } from './staging.js'

export interface LockOptions {
  /** Default `auto`: by the file system; see `openCache`. */
  locker?: 'auto' | LockerKind | undefined
  staleMs?: number | undefined
  /** Ends the waiting, and the writing where that can be ended; rejects with its reason. */
  signal?: AbortSignal | undefined
  /** Longest wait in milliseconds: default one hour, 0 tries once, `Infinity` waits as long as it takes. */
  timeoutMs?: number | undefined
  /** Called after one second of waiting, then every ten. Default: a process warning. */
  onWait?: ((wait: Wait) => void) | undefined
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
export async function withLock<T>(
  path: string,
  work: (lease: Lease) => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  return locked(path, options, (_place, lease) => asCaller(() => work(lease)))
}

/**
 * The file that another program must lock (Python: `filelock.FileLock(path)`) to exclude `withLock(path)`.
 * @throws LatchError LOCK_UNAVAILABLE where the lock is no kernel lock: another program cannot take part
 */
export async function lockPath(path: string, options: LockOptions = {}): Promise<string> {
  const absolute = resolve(path)
  try {
    const { opened, lock } = await locate(absolute, options, memoOf(absolute, options))
    return foreignLockPath(opened, lock)
  } catch (error) {
    throw explain(error, 'Finding the lock', absolute)
  }
}

/**
 * Writes a file whole: readers see the old one or the new one, and what was reported written is on the device.
 * Replaces a file that is there and keeps its mode; a symbolic link is replaced, not followed.
 */
export async function writeFile(
  path: string,
  source: Source,
  options: LockOptions & { mode?: number | undefined } = {},
): Promise<void> {
  const once = fromCaller(source, options.signal)
  await locked(path, options, async ({ opened, target, parent }) => {
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
  return locked(path, options, async ({ opened, target, parent }) => {
    const { disk, host } = opened
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
        await syncTree(disk, stage.path, tree, false)
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

interface Place {
  opened: Opened
  /** Absolute, its parent without links. */
  target: string
  parent: string
  /** The lock path of `target`. */
  lock: string
  /** What the directory's name led to, where it is or contains a link: it may be made to lead elsewhere. */
  link: string | null
}

type Work<T> = (place: Place, lease: Lease) => T | Promise<T>

async function locked<T>(path: string, options: LockOptions, work: Work<T>): Promise<T> {
  const absolute = resolve(path)
  const memo = memoOf(absolute, options)
  try {
    const place = recall(memo, dirname(absolute)) ?? (await locate(absolute, options, memo))
    return await withSecondChance(
      place.opened,
      () => lockedAt(place, options, work),
      async () => {
        forgetAll()
        return lockedAt(await locate(absolute, options, memo), options, work)
      },
    )
  } catch (error) {
    throw error instanceof CallerError ? error.thrown : explain(error, 'Writing', absolute)
  }
}

async function lockedAt<T>(place: Place, options: LockOptions, work: Work<T>): Promise<T> {
  const { opened, lock } = place
  const outer = heldHere(lock)
  if (outer) return work(place, outer)
  const { signal, timeoutMs, onWait = announceWait } = options
  const lease = await opened.locker.acquire(lock, { signal, timeoutMs, onWait })
  try {
    return await whileHolding(lock, lease, () => work(place, lease))
  } finally {
    await attempt(lease.release())
  }
}

const MAX_REMEMBERED = 1024
/** By locker and path. */
const places = new Map<string, Place>()
/** By locker and directory: opened once a process. */
const roots = new Map<string, Promise<Opened>>()

async function locate(absolute: string, options: LockOptions, memo: string): Promise<Place> {
  const directory = dirname(absolute)
  const opened = await openOnce(directory, options)
  const parent = dirname(opened.layout.root)
  const link = parent === directory ? null : linkIdentity(directory)
  const target = `${parent}/${basename(absolute)}`
  const place = { opened, parent, target, lock: opened.layout.lock(lockName(absolute)), link }
  if (places.size >= MAX_REMEMBERED) places.clear()
  places.set(memo, place)
  return place
}

const memoOf = (path: string, { locker = 'auto' }: LockOptions): string => `${locker}:${path}`

function recall(memo: string, directory: string): Place | undefined {
  const place = places.get(memo)
  if (!place?.link || place.link === linkIdentity(directory)) return place
  forgetAll()
  return undefined
}

/** All that is remembered may be void; to remember again costs little. */
function forgetAll(): void {
  places.clear()
  roots.clear()
}

function openOnce(directory: string, options: LockOptions): Promise<Opened> {
  const memo = memoOf(directory, options)
  let opening = roots.get(memo)
  if (opening === undefined) {
    opening = openBeside(directory, options)
    roots.set(memo, opening)
    opening.catch(() => roots.delete(memo))
  }
  return opening
}

async function openBeside(directory: string, options: LockOptions): Promise<Opened> {
  return openRoot(realHost(), bookkeepingRoot(makeRealDirectory(directory)), options)
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
