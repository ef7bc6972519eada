/** Directories as such: where they really are, whose they are, what is free on them. */
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  statSync,
  statfsSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isErrno } from './disk-errors.js'
import { warnNotDurable } from './warning.js'

export interface Directories {
  /** The user's own directory for gates, on a disk local to this host. */
  gate(): string
  uid(): number
  /** With all links resolved. @throws ENOENT where there is none */
  real(path: string): string
  /** The same; created if missing. */
  makeReal(path: string): string
  /** Tells the directory that a link leads to from another one later; `null` where there is none. */
  identity(path: string): string | null
  /** What an ordinary user may still write there. */
  freeBytes(path: string): number
}

/** The user's own directory for gates, on a disk local to this host. */
export function gateDirectory(): string {
  return join(process.env['CACHELATCH_GATE_DIR'] ?? tmpdir(), `cachelatch-${currentUid()}`)
}

/** Not `os.userInfo()`: that throws where the user has no name, as in many containers. */
export function currentUid(): number {
  return process.getuid?.() ?? 0
}

/** @throws ENOENT where there is none */
export function realDirectory(path: string): string {
  return realpathSync(path)
}

/** The directory itself, with all links resolved: two names of one place must mean one lock. Created if missing. */
function makeRealDirectory(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
  makeDirectory(path)
  return realpathSync(path)
}

/** Not mkdir's own `recursive`: that reports ENOENT on a read-only file system. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return // By another process, in this very moment.
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error
    makeDirectory(dirname(path))
    return makeDirectory(path)
  }
  syncName(dirname(path))
}

/** What is written into a directory is no more durable than the directory's own name. Once in its life. */
function syncName(directory: string): void {
  try {
    const fd = openSync(directory, constants.O_RDONLY)
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    warnNotDurable(directory, error)
  }
}

/** Tells the directory that a link leads to from another one later; `null` where there is none. */
function linkIdentity(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`
}

/** What an ordinary user may still write on the file system of `path`; no inode left counts as no byte left. */
function freeBytes(path: string): number {
  try {
    const { blocks, bavail, bsize, files, ffree } = statfsSync(path)
    if (blocks === 0) return Number.POSITIVE_INFINITY // A FUSE file system that does not tell.
    return files > 0 && ffree === 0 ? 0 : bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

export const realDirectories: Directories = {
  gate: gateDirectory,
  uid: currentUid,
  real: realDirectory,
  makeReal: makeRealDirectory,
  identity: linkIdentity,
  freeBytes,
}
