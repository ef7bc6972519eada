/**
 * Any write to any path: a lock beside the target, a stage, one rename. The books are kept in `.cachelatch/v1` next
 * to the target, so that stage and target are on one file system and the rename is one step.
 */
import { basename, dirname, resolve } from 'node:path'
import { LatchError } from '../core/errors.js'
import { attempt, explain, orElse } from '../host/disk-errors.js'
import { realHost } from '../host/host.js'
import { makeRealDirectory } from '../host/temporary.js'
import type { Lease, LockerKind, Wait } from '../lock/locker.js'
import type { Source } from '../store/bytes.js'
import { bookkeepingRoot, lockName } from '../store/layout.js'
import { placeDirectory, placeFile, replaceDirectory } from '../store/publish.js'
import { discard, fillFile, stageDirectory } from '../store/stage.js'
import { readTree, syncTree } from '../store/tree.js'
import { CallerError, asCaller } from './caller-error.js'
import { announceWait } from './events.js'
import { heldHere, whileHolding } from './holding.js'
import { type Opened, openRoot, wasDeleted } from './open.js'
import { keepAlive, sweepOnce } from './staging.js'

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

/** The file that another program must lock (Python: `filelock.FileLock(path)`) to exclude `withLock(path)`. */
export async function lockPath(path: string, options: LockOptions = {}): Promise<string> {
  const absolute = resolve(path)
  const { opened, lock } = await locate(absolute, options, `${options.locker ?? 'auto'}:${absolute}`)
  return opened.locker.lockPath(lock)
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
  await locked(path, options, async ({ opened, target, parent }) => {
    const { disk, layout, host } = opened
    await sweepOnce(opened)
    const existing = await orElse(disk.lstat(target), null, 'ENOENT')
    const mode = options.mode ?? (existing?.isFile() ? existing.mode & 0o7777 : undefined)
    const stage = layout.staged(host.processes.token())
    const fd = await disk.createExclusive(stage, mode ?? 0o666)
    const life = await keepAlive(opened, stage, fd)
    let placed = false
    try {
      if (mode !== undefined) await disk.chmod(stage, mode)
      await fillFile(disk, fd, fromCaller(source), options.signal)
      await placeFile(disk, stage, target, parent)
      placed = true
    } finally {
      await life.end()
      if (!placed) await discard(disk, stage)
    }
  })
}

/**
 * Fills a private directory and puts it at `path` in one step. `kept`: one was there, and stays.
 * @throws LatchError BUILD_INVALID when `fill` leaves nothing, or what cannot be published
 */
export async function writeDirectory(
  path: string,
  fill: (dir: string) => void | Promise<void>,
  options: WriteDirectoryOptions = {},
): Promise<{ outcome: 'written' | 'kept' | 'replaced' }> {
  return locked(path, options, async (place) => {
    const { opened, target, parent } = place
    const { disk, layout, host } = opened
    const keep = (options.ifExists ?? 'keep') === 'keep'
    if (keep && (await isDirectory(opened, target))) return { outcome: 'kept' }
    await sweepOnce(opened)
    const stage = await stageDirectory(disk, layout, host.processes.token())
    const life = await keepAlive(opened, stage, await disk.openRead(stage))
    try {
      await asCaller(() => fill(stage))
      options.signal?.throwIfAborted()
      const tree = await readTree(disk, stage)
      if (tree.files.length === 0) throw nothingLeft(stage)
      await syncTree(disk, stage, tree, false)
      if (await placeDirectory(disk, stage, target, parent)) return { outcome: 'written' }
      if (keep) return { outcome: 'kept' }
      await replaceDirectory(disk, host.native, stage, target, parent)
      return { outcome: 'replaced' }
    } finally {
      await life.end()
      await discard(disk, stage)
    }
  })
}

interface Place {
  opened: Opened
  /** Absolute, its parent without links. */
  target: string
  parent: string
  /** The lock path of `target`. */
  lock: string
}

type Work<T> = (place: Place, lease: Lease) => T | Promise<T>

async function locked<T>(path: string, options: LockOptions, work: Work<T>): Promise<T> {
  const absolute = resolve(path)
  const memo = `${options.locker ?? 'auto'}:${absolute}`
  try {
    const place = places.get(memo) ?? (await locate(absolute, options, memo))
    try {
      return await lockedAt(place, options, work)
    } catch (error) {
      if (!(await wasDeleted(place.opened, error))) throw error
    }
    // All that is remembered may be void; to remember again costs little.
    places.clear()
    roots.clear()
    return await lockedAt(await locate(absolute, options, memo), options, work)
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
  const opened = await openOnce(dirname(absolute), options)
  const parent = dirname(opened.layout.root)
  const target = `${parent}/${basename(absolute)}`
  const place = { opened, parent, target, lock: opened.layout.lock(lockName(absolute)) }
  if (places.size >= MAX_REMEMBERED) places.clear()
  places.set(memo, place)
  return place
}

function openOnce(directory: string, options: LockOptions): Promise<Opened> {
  const memo = `${options.locker ?? 'auto'}:${directory}`
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

/** A stream fails with errors of its own: they are the caller's. */
function fromCaller(source: Source): Source {
  if (typeof source !== 'object' || source === null || !(Symbol.asyncIterator in source)) return source
  return (async function* () {
    const iterator = source[Symbol.asyncIterator]()
    try {
      for (;;) {
        const { done, value } = await asCaller(() => iterator.next())
        if (done) return
        yield value
      }
    } finally {
      await iterator.return?.()
    }
  })()
}

async function isDirectory({ disk }: Opened, path: string): Promise<boolean> {
  const stats = await orElse(disk.lstat(path), null, 'ENOENT')
  if (!stats?.isDirectory()) return false
  // An empty directory holds nothing to keep: publishing replaces it.
  return (await disk.readdir(path)).length > 0
}

function nothingLeft(path: string): LatchError {
  return new LatchError('BUILD_INVALID', 'The directory was left without a file.', {
    hint: 'Write into the directory that the function was given.',
    path,
  })
}
