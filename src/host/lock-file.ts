/**
 * The lock file of the kernel lock. Calls are made in the calling thread: they are a few µs each, on a local file
 * system, and a lock is on every hot path.
 */
import fs from 'node:fs'
import { LatchError } from '../core/errors.js'
import { isErrno } from './disk-errors.js'

export interface LockFile {
  readonly path: string
  readonly fd: number
  readonly dev: number
  readonly ino: number
}

export interface LockFiles {
  /**
   * Opens the file, creating it when there is none. Never O_CREAT on an existing file: in a sticky shared directory
   * the kernel refuses that for another user's file (proc(5), fs.protected_regular).
   * @throws ENOENT when the directory is missing; LatchError UNSAFE_PATH for a link, a FIFO, a directory …
   */
  open(path: string): LockFile
  /** Whether the path still names the file that is open: its inode cannot be reused while it is. */
  isCurrent(file: LockFile): boolean
  close(file: LockFile): void
}

/** The system calls that this takes, in the calling thread. */
export interface LockFileCalls {
  open(path: string, flags: number, mode: number): number
  close(fd: number): void
  fstat(fd: number): fs.Stats
  /** `undefined`: there is nothing. */
  lstat(path: string): fs.Stats | undefined
}

const { O_RDONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants
// Reading is permission enough for flock(2), so users of one cache need no write access to each other's files.
const OPEN = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
const CREATE = OPEN | O_CREAT | O_EXCL

export function lockFilesOver(calls: LockFileCalls): LockFiles {
  function openOrNull(path: string, flags: number, unless: string): number | null {
    try {
      return calls.open(path, flags, 0o666)
    } catch (error) {
      if (isErrno(error, unless)) return null
      // ELOOP: a symbolic link. ENXIO: a socket.
      if (isErrno(error, 'ELOOP', 'ENXIO')) throw unsafe(path, error)
      throw error
    }
  }

  function lookAt(fd: number): ReturnType<LockFileCalls['fstat']> {
    try {
      return calls.fstat(fd)
    } catch (error) {
      close(fd)
      throw error
    }
  }

  /** close(2) frees the descriptor, and the lock with it, whatever it reports; and nothing was written that may be lost. */
  function close(fd: number): void {
    try {
      calls.close(fd)
    } catch {
      // It is closed. Also in a timer, where an error would end the process.
    }
  }

  return {
    open(path) {
      for (;;) {
        const fd = openOrNull(path, OPEN, 'ENOENT') ?? openOrNull(path, CREATE, 'EEXIST')
        if (fd === null) continue // Created, or deleted, by another between the two calls.
        const stats = lookAt(fd)
        if (stats.isFile()) return { path, fd, dev: stats.dev, ino: stats.ino }
        close(fd)
        throw unsafe(path)
      }
    },
    isCurrent({ path, dev, ino }) {
      const stats = calls.lstat(path)
      return stats !== undefined && stats.ino === ino && stats.dev === dev
    },
    close: ({ fd }) => close(fd),
  }
}

export const realLockFiles = lockFilesOver({
  open: fs.openSync,
  close: fs.closeSync,
  fstat: fs.fstatSync,
  lstat: (path) => fs.lstatSync(path, { throwIfNoEntry: false }),
})

function unsafe(path: string, cause?: unknown): LatchError {
  return new LatchError('UNSAFE_PATH', `A lock file must be a regular file, and this is none: ${path}`, {
    hint: 'Somebody else put it there: look at it, then remove it.',
    path,
    cause,
  })
}
