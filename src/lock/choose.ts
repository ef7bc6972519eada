/** Which locker a directory needs, and why: from the file system's type, then from a probe. */
import { LatchError } from '../core/errors.js'
import type { Disk } from '../host/disk.js'
import { attempt } from '../host/disk-errors.js'
import type { FileSystem } from '../host/filesystem.js'
import type { Host } from '../host/host.js'
import type { LockFile } from '../host/lock-file.js'
import { createKernelLocker, hasKernelLock } from './kernel.js'
import type { Locker, LockerKind } from './locker.js'
import { createLockfileLocker } from './lockfile.js'
import { createMemoryLocker } from './memory.js'

export interface Choice {
  kind: LockerKind
  /** A sentence for people: doctor prints it. */
  reason: string
  fileSystem: FileSystem
}

/** For a cache that does not exist yet: later contenders follow its format.json. */
export async function chooseLocker(host: Host, disk: Disk, directory: string): Promise<Choice> {
  const choice = await chooseByType(host, directory)
  if (choice.kind !== 'kernel') return choice
  const { type } = choice.fileSystem
  if (!(await excludes(host, disk, directory)))
    return lockfileBecause(`a probe found that flock excludes nobody on this ${type}`, choice.fileSystem)
  return { ...choice, reason: `${type} is local, and a probe found that flock excludes` }
}

/** What a probe would have to confirm: where nothing can be written, there is none. */
export async function chooseByType(host: Host, directory: string): Promise<Choice> {
  const fileSystem = host.inspect(directory)
  const distrust = reasonToDistrust(fileSystem)
  if (distrust !== null) return lockfileBecause(distrust, fileSystem)
  if (!(await hasKernelLock(host)))
    return lockfileBecause('neither koffi nor flock(1) is here to take a kernel lock', fileSystem)
  return { kind: 'kernel', reason: `${fileSystem.type} is local`, fileSystem }
}

function lockfileBecause(why: string, fileSystem: FileSystem): Choice {
  return { kind: 'lockfile', reason: `${why}, so the lock is a directory`, fileSystem }
}

/** `null`: flock can be trusted on it. Sources: flock(2), nfs(5), mount.lustre(8), and FACTS §3. */
export function reasonToDistrust({ type, locality }: FileSystem): string | null {
  if (locality === 'local') return null
  if (type.startsWith('fuse'))
    return `on ${type}, flock may exclude nobody who comes through another mount or host`
  if (locality === 'network')
    return `on ${type}, flock may be local to a host, hang, or be lost with the connection`
  return `${type} is a file system that is not known to keep kernel locks`
}

const lockers = new WeakMap<Host, Map<string, Locker>>()

/** One locker a process and kind, however often a cache is opened: its queue must be everybody's. */
export function lockerOfKind(host: Host, disk: Disk, kind: LockerKind, staleMs?: number): Locker {
  const known = lockers.get(host) ?? new Map<string, Locker>()
  lockers.set(host, known)
  const name = `${kind} ${staleMs ?? 'default'} ${disk.inThread ? 'direct' : 'pooled'}`
  const locker = known.get(name) ?? createLocker(host, disk, kind, staleMs)
  known.set(name, locker)
  return locker
}

function createLocker(host: Host, disk: Disk, kind: LockerKind, staleMs?: number): Locker {
  if (kind === 'kernel') return createKernelLocker(host, disk)
  if (kind === 'memory') return createMemoryLocker(host, disk)
  return createLockfileLocker(host, disk, staleMs === undefined ? {} : { staleMs })
}

/** Takes a lock on a scratch file and has another process try it: in a child, where there is flock(1). */
async function excludes(host: Host, disk: Disk, directory: string): Promise<boolean> {
  const path = `${directory}/.probe-${host.processes.token()}`
  const opened: LockFile[] = []
  try {
    for (let n = 0; n < 2; n++) opened.push(host.lockFiles.open(path))
    return await excludesAnother(host, opened[0]!, opened[1]!)
  } finally {
    opened.forEach((file) => host.lockFiles.close(file))
    await attempt(disk.unlink(path))
  }
}

async function excludesAnother(host: Host, first: LockFile, second: LockFile): Promise<boolean> {
  try {
    const taken = host.native
      ? host.native.flock(first.fd, 'exclusive')
      : (await host.flockCommand.once(first.fd, 'exclusive')) === 'locked'
    return taken && !(await canTakeToo(host, second.fd))
  } catch (cause) {
    const { path } = first
    throw new LatchError(
      'LOCK_UNAVAILABLE',
      `The kernel lock failed on a file that nobody else has: ${path}`,
      {
        hint: 'Use another file system, or the `lockfile` locker.',
        cause,
        path,
      },
    )
  }
}

async function canTakeToo(host: Host, fd: number): Promise<boolean> {
  const { flockCommand } = host
  if (await flockCommand.isThere()) return (await flockCommand.once(fd, 'exclusive')) === 'locked'
  return host.native?.flock(fd, 'exclusive') ?? true
}
