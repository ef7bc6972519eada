/**
 * The system calls that Node does not offer, through koffi. An optional dependency: where it is missing,
 * `native` is null and the callers have a slower way (flock(1), a look at each directory) or a documented gap (no exchange of directories).
 */
import { closeSync, constants as files, fsyncSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { isMainThread } from 'node:worker_threads'

export type LockMode = 'exclusive' | 'shared'

export interface Native {
  /** flock(2) without waiting. `false`: somebody else holds it. */
  flock(fd: number, mode: LockMode): boolean
  funlock(fd: number): void
  /**
   * openat2(RESOLVE_NO_SYMLINKS), Linux 5.6: opens for reading what no link leads to, neither at the end of the path
   * nor on the way. `null`, for whatever reason: look the slow way, which says what is wrong.
   */
  openNoLinks(path: string): number | null
  /** renameat2(RENAME_EXCHANGE): swaps two paths in one step. `false`: this kernel or file system cannot. */
  exchange(a: string, b: string): boolean
}

// flock(2), <sys/file.h>: the same on Linux and macOS.
const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4
const LOCK_UN = 8
// renameat2(2), <linux/fs.h>, <fcntl.h>.
const RENAME_EXCHANGE = 2
const AT_FDCWD = -100
// openat2(2), <linux/openat2.h>: the same number on every architecture. struct open_how: flags, mode, resolve.
const SYS_OPENAT2 = 437
const RESOLVE_NO_SYMLINKS = 4n
/** As Node opens everything; it has no name for it. The same on x86, ARM, RISC-V, s390x and POWER. */
const O_CLOEXEC = 0o2000000

type Koffi = typeof import('koffi')

export function loadNative(): Native | null {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi
    if (isMainThread) process.once('exit', letStderrEnd)
    return bind(koffi)
  } catch {
    return null
  }
}

const STDERR = 2

/**
 * koffi 3.3.4 syncs stdout and stderr when the process exits, and says on stderr what went wrong, with the lock of
 * stderr held: where that is a file on a disk that fails, the process never ends. So one that cannot be synced is
 * /dev/null by then, which has nothing to be synced (EINVAL), as a pipe or a terminal has not.
 */
function letStderrEnd(): void {
  try {
    fsyncSync(STDERR)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return
    closeSync(STDERR)
    // The lowest number that is free, and so this one.
    openSync('/dev/null', 'w')
  }
}

function bind(koffi: Koffi): Native {
  const { EWOULDBLOCK, EINTR } = constants.errno
  const libc = koffi.load(null)
  const flock = libc.func('int flock(int fd, int operation)') as (fd: number, operation: number) => number
  const swap = exchanger(koffi, libc)
  return {
    flock(fd, mode) {
      const operation = (mode === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB
      for (;;) {
        if (flock(fd, operation) === 0) return true
        const errno = koffi.errno()
        if (errno === EWOULDBLOCK) return false
        if (errno !== EINTR) throw failure('flock', errno)
      }
    },
    funlock(fd) {
      if (flock(fd, LOCK_UN) !== 0) throw failure('flock', koffi.errno())
    },
    openNoLinks: opener(libc),
    exchange: (a, b) => swap !== null && swap(a, b),
  }
}

function opener(libc: ReturnType<Koffi['load']>): Native['openNoLinks'] {
  // Deno's `fs` knows only the descriptors that it has opened itself: EBADF.
  if (process.platform !== 'linux' || 'deno' in process.versions) return () => null
  const how = Buffer.alloc(24)
  how.writeBigUInt64LE(BigInt(files.O_RDONLY | files.O_NONBLOCK | O_CLOEXEC))
  how.writeBigUInt64LE(RESOLVE_NO_SYMLINKS, 16)
  const syscall = libc.func('long syscall(long, long, const char *, const uint8_t *, size_t)') as (
    number: number,
    directory: number,
    path: string,
    how: Buffer,
    size: number,
  ) => number
  return (path) => {
    const fd = syscall(SYS_OPENAT2, AT_FDCWD, path, how, how.length)
    return fd < 0 ? null : fd
  }
}

function exchanger(
  koffi: Koffi,
  libc: ReturnType<Koffi['load']>,
): ((a: string, b: string) => boolean) | null {
  if (process.platform !== 'linux') return null
  let renameat2: (fromFd: number, from: string, toFd: number, to: string, flags: number) => number
  try {
    renameat2 = libc.func('int renameat2(int, const char *, int, const char *, unsigned int)')
  } catch {
    return null // musl before 1.2.6 has no wrapper
  }
  const { EINVAL, ENOSYS, ENOTSUP } = constants.errno
  return (a, b) => {
    if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) === 0) return true
    const errno = koffi.errno()
    if (errno === EINVAL || errno === ENOSYS || errno === ENOTSUP) return false
    throw failure('renameat2', errno)
  }
}

function failure(syscall: string, errno: number): Error {
  const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `E${errno}`
  return Object.assign(new Error(`${syscall}: ${code}`), { code, errno, syscall })
}
