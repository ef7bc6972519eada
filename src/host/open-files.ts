/**
 * Which processes have which files open, and hold a lock on them: as /proc tells (proc(5)), without touching a lock.
 * Trying one to see whether it is free would make another's `exec -n` fail for nothing.
 *
 * One pass over /proc/PID/fd. Of a descriptor only its link is read; only where that may be a wanted file is the file
 * itself looked at. So no other file system is touched, nor hung upon, and 50 000 descriptors cost some 0.2 s.
 * Another container sees our directory under another name: the caller says from the end of a path which of its files
 * that may be, and device and inode decide. Files that are only mapped into memory are not seen.
 */
import { closeSync, lstatSync, openSync, readSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'

export interface OpenFile {
  path: string
  pid: number
  /** Opened for writing. */
  writes: boolean
  /** What it holds by flock(2), alone or with others that have the descriptor from it. */
  lock: 'exclusive' | 'shared' | null
  /** Which process took the lock: the one that holds it, or one that handed it on and may be gone. */
  takenBy: number | null
}

export interface OpenFiles {
  files: OpenFile[]
  /** Processes that could not be looked into: an ordinary user may look into its own only. */
  hidden: ReadonlySet<number>
  /** Whether all processes of this host were there to be looked into: not from inside a container. */
  complete: boolean
}

/** <linux/proc_ns.h>: the inode of the first PID namespace, in which all processes are. */
const FIRST_NAMESPACE = 'pid:[4026531836]'

/** Processes between two turns of the event loop: a few ms. */
const BATCH = 32

/**
 * `null`: there is no /proc (macOS).
 * @param ourPath which file of the caller's a path that some process has open may be
 */
export async function findOpenFiles(ourPath: (seen: string) => string | null): Promise<OpenFiles | null> {
  const pids = pidsOfAll()
  if (pids === null) return null
  const files: OpenFile[] = []
  const hidden = new Set<number>()
  for (const [index, pid] of pids.entries()) {
    if (index % BATCH === BATCH - 1) await turn()
    const descriptors = namesOrErrno(`/proc/${pid}/fd`)
    if (typeof descriptors === 'string') {
      if (descriptors === 'EACCES' || descriptors === 'EPERM') hidden.add(pid)
      continue
    }
    for (const fd of descriptors) {
      const file = lookAt(pid, fd, ourPath)
      if (file !== null) files.push(file)
    }
  }
  const seesAll = hidden.size === 0 && readlinkSync('/proc/self/ns/pid') === FIRST_NAMESPACE
  return { files, hidden, complete: seesAll }
}

/** All that this process can see; `null` where /proc is not mounted. */
export function pidsOfAll(): number[] | null {
  const names = namesOrErrno('/proc')
  const pids = typeof names === 'string' ? [] : names.map(Number).filter((pid) => pid > 0)
  return pids.length === 0 ? null : pids
}

function namesOrErrno(directory: string): string[] | string {
  try {
    return readdirSync(directory)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO'
  }
}

/** `null`: none of ours, or closed meanwhile. */
function lookAt(pid: number, fd: string, ourPath: (seen: string) => string | null): OpenFile | null {
  try {
    const link = `/proc/${pid}/fd/${fd}`
    const seen = readlinkSync(link)
    // Pipes, sockets and the like have no path.
    const path = seen.startsWith('/') ? ourPath(seen) : null
    if (path === null || !isSameFile(link, path)) return null
    return { path, pid, ...readInfo(`/proc/${pid}/fdinfo/${fd}`) }
  } catch {
    return null
  }
}

function isSameFile(link: string, path: string): boolean {
  const [there, ours] = [statSync(link), lstatSync(path)]
  return there.ino === ours.ino && there.dev === ours.dev
}

const O_ACCMODE = 3

/** `flags:	0100002`, octal; `lock:	1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF`. */
function readInfo(path: string): Pick<OpenFile, 'writes' | 'lock' | 'takenBy'> {
  const text = readText(path)
  const flags = Number.parseInt(/^flags:\s*([0-7]+)/m.exec(text)?.[1] ?? '0', 8)
  const [, mode, pid] = /^lock:\s*\d+: FLOCK\s+\S+\s+(READ|WRITE)\s+(-?\d+)/m.exec(text) ?? []
  return {
    writes: (flags & O_ACCMODE) !== 0,
    lock: mode === undefined ? null : mode === 'WRITE' ? 'exclusive' : 'shared',
    takenBy: Number(pid) > 0 ? Number(pid) : null,
  }
}

const INFO_BYTES = 4096
const info = Buffer.allocUnsafe(INFO_BYTES)

/** Files in /proc say that they are empty. */
function readText(path: string): string {
  const fd = openSync(path, 'r')
  try {
    return info.toString('utf8', 0, readSync(fd, info, 0, INFO_BYTES, 0))
  } finally {
    closeSync(fd)
  }
}
