/**
 * Any write to any path: a lock beside the target, a stage, one rename. The books are kept in `.cachelatch/v1` next
 * to the target, so that stage and target are on one file system and the rename is one step.
 */
import { basename, dirname, resolve } from 'node:path'
import { LatchError } from '../core/errors.js'
import { attempt, explain, orElse } from '../host/disk-errors.js'
import { realHost } from '../host/host.js'
import { makeRealDirectory } from '../host/temporary.js'
import { type Lease, type Wait } from '../lock/locker.js'
import type { Source } from '../store/bytes.js'
import { bookkeepingRoot, lockName } from '../store/layout.js'
import { placeDirectory, placeFile, replaceDirectory } from '../store/publish.js'
import { discard, fillFile, stageDirectory } from '../store/stage.js'
import { readTree, syncTree } from '../store/tree.js'
import { CallerError, asCaller } from './caller-error.js'
import { announceWait } from './events.js'
import { heldHere, whileHolding } from './holding.js'
import { type OpenOptions, type Opened, openRoot, withReopening } from './open.js'
import { keepAlive, sweepOnce } from './staging.js'

export interface LockOptions extends Pick<OpenOptions, 'locker' | 'staleMs'> {
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
  const { opened, name } = await locate(resolve(path), options)
  return opened.locker.lockPath(opened.layout.lock(name))
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
      if (!placed) await discard(stage)
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
      await discard(stage)
    }
  })
}

interface Place {
  opened: Opened
  /** Absolute, its parent without links. */
  target: string
  parent: string
  name: string
}

async function locked<T>(
  path: string,
  options: LockOptions,
  work: (place: Place, lease: Lease) => T | Promise<T>,
): Promise<T> {
  const absolute = resolve(path)
  try {
    return await withReopening(
      async (again) => (await locate(absolute, options, again)).opened,
      async () => {
        const place = await locate(absolute, options)
        const lockAt = place.opened.layout.lock(place.name)
        const outer = heldHere(lockAt)
        if (outer) return work(place, outer)
        const { signal, timeoutMs, onWait = announceWait } = options
        const lease = await place.opened.locker.acquire(lockAt, { signal, timeoutMs, onWait })
        try {
          return await whileHolding(lockAt, lease, () => work(place, lease))
        } finally {
          await attempt(lease.release())
        }
      },
    )
  } catch (error) {
    throw error instanceof CallerError ? error.thrown : explain(error, 'Writing', absolute)
  }
}

const places = new Map<string, Promise<Opened>>()

/** Opened once a process and directory. */
async function locate(absolute: string, options: LockOptions, again = false): Promise<Place> {
  const directory = dirname(absolute)
  const memo = `${typeof options.locker === 'string' ? options.locker : 'auto'}:${directory}`
  if (again) places.delete(memo)
  let opening = places.get(memo)
  if (opening === undefined) {
    opening = openRoot(realHost(), bookkeepingRoot(`${makeRealDirectory(directory)}/x`), options)
    places.set(memo, opening)
    opening.catch(() => places.delete(memo))
  }
  const opened = await opening
  const parent = dirname(opened.layout.root)
  return { opened, target: `${parent}/${basename(absolute)}`, parent, name: lockName(absolute) }
}

/** A stream fails with errors of its own: they are the caller's. */
function fromCaller(source: Source): Source {
  if (typeof source !== 'object' || !(Symbol.asyncIterator in source)) return source
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
