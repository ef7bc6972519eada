/**
 * Who is to blame for a build that failed: itself, or the cache it was given to write to. A compiler that is a child
 * process only says "exit code 1", so the disk is asked as well, while what the build wrote is still there.
 */
import { LatchError, type LatchErrorCode, messageOf } from '../core/errors.js'
import { errnoOf, orElse } from '../host/disk-errors.js'
import { type Opened, gone } from './open.js'

const SHORT_OF_SPACE_BYTES = 1024 * 1024

/** The error of the cache, with that of the build as its cause; `null`: the build is to blame. */
export async function cacheToBlame(
  { disk, layout, host }: Opened,
  stage: string,
  error: unknown,
): Promise<LatchError | null> {
  const errno = errnoOf(error) ?? ''
  const blame = (code: LatchErrorCode, what: string, hint: string): LatchError =>
    new LatchError(code, `The build failed, and ${what}: ${messageOf(error)}`, {
      hint,
      path: stage,
      cause: error,
    })
  if ((await orElse(disk.lstat(stage), null, 'ENOENT', 'ENOTDIR', 'ESTALE')) === null)
    return gone(stage, 'The build failed, and its directory was removed meanwhile', error)
  if (errno === 'EROFS') return blame('READ_ONLY', 'the cache is read-only', 'Mount it read-write again.')
  // DISK_FULL: of our own `writeFile`, in the build. What a quota leaves free, the disk does not tell.
  if (
    ['ENOSPC', 'EDQUOT', 'DISK_FULL'].includes(errno) ||
    host.directories.freeBytes(layout.root) < SHORT_OF_SPACE_BYTES
  )
    return blame(
      'DISK_FULL',
      'the disk of the cache is full',
      'Free space or inodes there, or use another disk.',
    )
  // sshfs says so of a full disk. Where it was another disk, the build says it again in private.
  if (errno === 'EIO' || errno === 'DISK_ERROR')
    return blame('DISK_ERROR', 'a disk reported an error', 'See the kernel log, and how full the disk is.')
  return null
}
