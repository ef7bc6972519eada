/** A cache root made ready: what it is on, which locker everybody uses there, and which thread makes the calls. */
import { LatchError, isLatchError } from '../core/errors.js'
import type { Disk } from '../host/disk.js'
import { explain, isErrno, orElse } from '../host/disk-errors.js'
import type { FileSystem } from '../host/filesystem.js'
import type { Host } from '../host/host.js'
import { lockerSetting } from '../host/settings.js'
import { chooseLocker, lockerOfKind, reasonToDistrust } from '../lock/choose.js'
import { hasKernelLock } from '../lock/kernel.js'
import type { Locker, LockerKind } from '../lock/locker.js'
import { recordIfAsked } from './recording.js'
import { type Format, createFormat, isWhole, mendDirectories, readFormat } from '../store/format.js'
import { Layout, SCHEMA, bookkeepingRoot, notADirectory } from '../store/layout.js'
import { Counting } from './counting.js'

export interface OpenOptions {
  /** Default: CACHELATCH_LOCKER, else `auto`, by the file system. All contenders of one cache must agree, and format.json sees to it. */
  locker?: 'auto' | LockerKind | Locker | undefined
  /** Only with the `lockfile` locker, when the cache is created: milliseconds without a heartbeat, at least 2000. */
  staleMs?: number | undefined
  /** Opens what is there, and never creates a cache: where there is none, NO_CACHE. */
  existing?: boolean | undefined
}

export interface Opened {
  host: Host
  disk: Disk
  layout: Layout
  locker: Locker
  format: Format
  fileSystem: FileSystem
  /** Why this locker, as a sentence. */
  reason: string
  counting: Counting
}

export async function openRoot(host: Host, root: string, given: OpenOptions = {}): Promise<Opened> {
  await recordIfAsked()
  try {
    const options = { ...given, locker: given.locker ?? settledLocker() }
    const layout = new Layout(options.existing ? existingRoot(host, root) : host.directories.makeReal(root))
    const fileSystem = host.inspect(layout.root)
    const disk = host.diskFor(fileSystem)
    const existing = await readFormat(host.pooledDisk, layout)
    if (existing) {
      await mendDirectories(disk, layout)
      return await join(host, disk, layout, existing, options, fileSystem)
    }
    if (options.existing) throw noCache(root)
    const { wanted, reason } = await firstChoice(host, disk, layout.root, options)
    const format = await createFormat(disk, layout, wanted)
    const opened = await join(host, disk, layout, format, options, fileSystem)
    return { ...opened, reason: format.epoch === wanted.epoch ? reason : opened.reason }
  } catch (error) {
    throw explain(error, 'Opening the cache', root)
  }
}

/** @throws LatchError LOCK_UNAVAILABLE where the user's setting names none */
function settledLocker(): LockerKind | 'auto' {
  const setting = lockerSetting() ?? 'auto'
  if (setting === 'kernel' || setting === 'lockfile' || setting === 'auto') return setting
  throw new LatchError('LOCK_UNAVAILABLE', `There is no locker '${setting}' (CACHELATCH_LOCKER).`, {
    hint: 'Set it to kernel or lockfile, or not at all: then the file system decides.',
  })
}

/**
 * The directory beside what is written, or beside a cache, that keeps the books.
 * @throws LatchError UNSAFE_PATH where it is a link: locks, stages and removals would follow it
 */
export async function openBooks(host: Host, directory: string, options: OpenOptions): Promise<Opened> {
  const books = bookkeepingRoot(directory)
  const stats = await orElse(host.pooledDisk.lstat(books), null, 'ENOENT')
  if (stats?.isSymbolicLink()) throw notADirectory(books)
  return openRoot(host, books, options)
}

function existingRoot({ directories }: Host, root: string): string {
  try {
    return directories.real(root)
  } catch (error) {
    throw isErrno(error, 'ENOENT', 'ENOTDIR') ? noCache(root, error) : error
  }
}

function noCache(root: string, cause?: unknown): LatchError {
  return new LatchError('NO_CACHE', `There is no cache in ${root}.`, {
    hint: 'Check the path (--cache, CACHELATCH_DIR); the first compile creates the cache.',
    path: root,
    cause,
  })
}

async function firstChoice(
  host: Host,
  disk: Disk,
  root: string,
  { locker = 'auto', staleMs }: OpenOptions,
): Promise<{ wanted: Format; reason: string }> {
  const fresh = { schema: SCHEMA, epoch: host.processes.token() } as const
  const withStale = (kind: string): Format => ({
    ...fresh,
    locker: kind,
    ...(kind === 'lockfile' && staleMs !== undefined && { staleMs: Math.max(2_000, staleMs) }),
  })
  if (locker !== 'auto') {
    return {
      wanted: withStale(typeof locker === 'string' ? locker : locker.kind),
      reason: 'it was asked for',
    }
  }
  const { kind, reason } = await chooseLocker(host, disk, root)
  return { wanted: withStale(kind), reason }
}

/** Follows format.json, or says why this process cannot. */
async function join(
  host: Host,
  disk: Disk,
  layout: Layout,
  format: Format,
  options: OpenOptions,
  fileSystem: FileSystem,
): Promise<Opened> {
  const { locker: wish = 'auto' } = options
  const wished = typeof wish === 'string' ? wish : wish.kind
  if (wished !== 'auto' && wished !== format.locker) {
    throw mismatch(layout, format, `and this process asks for \`${wished}\``)
  }
  const counting = new Counting(host, disk, layout)
  const opened = { host, disk, layout, format, fileSystem, reason: 'the cache was created with it', counting }
  if (typeof wish === 'object') return { ...opened, locker: wish }
  switch (format.locker) {
    case 'kernel': {
      const distrust = reasonToDistrust(fileSystem)
      if (wish === 'auto' && distrust !== null) throw mismatch(layout, format, `but from here, ${distrust}`)
      if (!(await hasKernelLock(host)))
        throw mismatch(layout, format, 'and this machine has neither koffi nor flock(1)')
      return { ...opened, locker: lockerOfKind(host, disk, 'kernel') }
    }
    case 'lockfile':
    case 'memory':
      if (format.locker === 'memory' && wish !== 'memory')
        throw mismatch(layout, format, 'which excludes no other process')
      return { ...opened, locker: lockerOfKind(host, disk, format.locker, format.staleMs) }
    default:
      throw mismatch(layout, format, 'which this process does not have')
  }
}

function mismatch(layout: Layout, format: Format, why: string): LatchError {
  return new LatchError(
    'LOCKER_MISMATCH',
    `The cache was created with the locker \`${format.locker}\`, ${why}: ${layout.root}`,
    {
      hint: 'Let everybody use one locker: remove the cache, and create it with CACHELATCH_LOCKER=lockfile, which works everywhere.',
      path: layout.format,
    },
  )
}

/** The path of a lock for other programs. Only flock is a lock that others know: never a path that excludes nobody. */
export function foreignLockPath({ locker, layout }: Opened, lock: string): string {
  if (locker.kind !== 'lockfile' && locker.kind !== 'memory') return locker.lockPath(lock)
  throw new LatchError('LOCK_UNAVAILABLE', `The \`${locker.kind}\` lock excludes no other program.`, {
    hint: 'Use a cache on a local file system, where the lock is flock(2).',
    path: layout.root,
  })
}

/**
 * After a failure: where the root was removed under the operation, runs `again`, which opens it anew.
 * @throws `error`, where that is not why
 */
export async function secondChance<T>(opened: Opened, error: unknown, again: () => Promise<T>): Promise<T> {
  if (!(await wasRemoved(opened, error))) throw error
  try {
    return await again()
  } catch (second) {
    if (isLatchError(second) || !(await wasRemoved(opened, second))) throw second
    throw gone(opened.layout.root, 'The cache was removed while it was in use, again and again', second)
  }
}

async function wasRemoved({ host, layout, format }: Opened, error: unknown): Promise<boolean> {
  if (isLatchError(error, 'ROOT_GONE')) return true
  return isErrno(error, 'ENOENT', 'ESTALE') && !(await isWhole(host.pooledDisk, layout, format))
}

export function gone(path: string, what: string, cause?: unknown): LatchError {
  return new LatchError('ROOT_GONE', `${what}: ${path}`, {
    hint: 'Nobody but cachelatch may remove things in a cache that is in use: find out who did.',
    path,
    cause,
  })
}
