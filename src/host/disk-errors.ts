/** Small combinators over errno codes, so that call sites read as sentences. */
import { constants } from 'node:os'
import { LatchError, isLatchError, messageOf, type LatchErrorCode } from '../core/errors.js'

/** Node has no names for these: their `code` is `Unknown system error -116`. What a disk quota and NFS say is among them. */
const NAMELESS = new Map(
  (['EDQUOT', 'ESTALE', 'ENOLCK', 'EDEADLK'] as const).map((name) => [-constants.errno[name], name]),
)

export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  if (typeof error.code !== 'string') return undefined
  return 'errno' in error ? (NAMELESS.get(error.errno as number) ?? error.code) : error.code
}

export function isErrno(error: unknown, ...codes: string[]): boolean {
  const code = errnoOf(error)
  return code !== undefined && codes.includes(code)
}

/** `await orElse(disk.lstat(path), null, 'ENOENT')`: the value, or `fallback` on one of the codes. */
export async function orElse<T, F>(attempt: Promise<T>, fallback: F, ...codes: string[]): Promise<T | F> {
  try {
    return await attempt
  } catch (error) {
    if (isErrno(error, ...codes)) return fallback
    throw error
  }
}

/** For clean-up whose failure changes nothing: what is left is a leftover, and gc's. */
export async function attempt(step: Promise<unknown>): Promise<void> {
  try {
    await step
  } catch {
    // Left for gc.
  }
}

const KNOWN: Record<string, { code: LatchErrorCode; hint: string }> = {
  ENOSPC: { code: 'DISK_FULL', hint: 'Free space or inodes there, or point the cache at another disk.' },
  EDQUOT: { code: 'DISK_FULL', hint: 'The quota is used up: free space, or point the cache elsewhere.' },
  EFBIG: { code: 'DISK_FULL', hint: 'The file is larger than this file system or a ulimit allows.' },
  EROFS: { code: 'READ_ONLY', hint: 'Mount it read-write, or point the cache at a writable directory.' },
  EACCES: { code: 'NO_PERMISSION', hint: 'Give this user write permission, or point the cache elsewhere.' },
  EPERM: { code: 'NO_PERMISSION', hint: 'Give this user write permission, or point the cache elsewhere.' },
  EXDEV: {
    code: 'CROSS_DEVICE',
    hint: 'The directory comes from another layer or mount (overlayfs?): use one that is wholly on one file system.',
  },
  ENOTDIR: {
    code: 'UNSAFE_PATH',
    hint: 'Something that is no directory stands there as a part of the path: look at it, then remove it.',
  },
  ENXIO: { code: 'UNSAFE_PATH', hint: 'A socket or a device stands there: look at it, then remove it.' },
  ELOOP: {
    code: 'UNSAFE_PATH',
    hint: 'A symbolic link stands there, put by somebody else: look at it, then remove it.',
  },
}

/** An errno error as a LatchError that says what was being done; LatchErrors and others pass unchanged. */
export function explain(error: unknown, doing: string, path: string): unknown {
  if (!isFromDisk(error)) return error
  const errno = errnoOf(error)!
  const known = KNOWN[errno] ?? {
    code: 'DISK_ERROR' as const,
    hint: 'The file system reported this; see `cause`, and the kernel log.',
  }
  return new LatchError(known.code, `${doing} failed with ${errno}: ${path}`, {
    hint: known.hint,
    cause: error,
    path,
  })
}

/** Whether the cache cannot be used although nothing is wrong with the work itself (principle 5 applies). */
export function isCacheTrouble(error: unknown): boolean {
  return isFromDisk(error) || (isLatchError(error) && !isLatchError(error, ...NOT_TROUBLE))
}

/** Whatever the errno: those of network file systems are many (EBUSY, ETIMEDOUT, EREMOTEIO …). Node's own have a `_`. */
function isFromDisk(error: unknown): boolean {
  return !isLatchError(error) && /^E[A-Z0-9]+$/.test(errnoOf(error) ?? '')
}

const NOT_TROUBLE: LatchErrorCode[] = [
  'KEY_INVALID',
  'BUILD_FAILED',
  'BUILD_CRASHED',
  'BUILD_INVALID',
  'PRESET_INVALID',
  'ONCE_REFUSED',
]

export { messageOf }
