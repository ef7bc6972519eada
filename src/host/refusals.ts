/**
 * SFTP has one word for nearly all that a server refuses, and sshfs reports it as EPERM: who came second would be told
 * that it lacks a permission. So after EPERM it is looked at what stands there, and the error says what other file
 * systems say.
 */
import { dirname } from 'node:path'
import type { Disk } from './disk.js'
import { isErrno, orElse } from './disk-errors.js'

/** What stood in the way may be gone before it is looked at: then the call is made again. */
const MAX_TRIES = 3
const STICKY = 0o1000

export function namingRefusals(disk: Disk): Disk {
  return {
    ...disk,
    mkdir: (path, mode) =>
      named(
        () => disk.mkdir(path, mode),
        'EEXIST',
        () => stands(disk, path),
      ),
    link: (from, to) =>
      named(
        () => disk.link(from, to),
        'EEXIST',
        () => stands(disk, to),
      ),
    rename: (from, to) =>
      named(
        () => disk.rename(from, to),
        'ENOTEMPTY',
        () => cannotGiveWay(disk, to),
      ),
  }
}

/** @throws an error with `code` where the reason for EPERM is that `isInTheWay` */
async function named<T>(
  call: () => Promise<T>,
  code: string,
  isInTheWay: () => Promise<boolean>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (!isErrno(error, 'EPERM')) throw error
      if (await isInTheWay())
        throw Object.assign(new Error(`${code}, reported as ${(error as Error).message}`), {
          code,
          cause: error,
        })
      if (tries === MAX_TRIES) throw error
    }
  }
}

async function stands(disk: Disk, path: string): Promise<boolean> {
  return (await orElse(disk.lstat(path), null, 'ENOENT', 'ENOTDIR')) !== null
}

/**
 * Whether `path` is a directory that is not replaced because it is not empty. Not by its listing, which sshfs remembers
 * for 20 s: in a directory without the sticky bit, whoever may rename may replace, so it is no matter of permissions.
 */
async function cannotGiveWay(disk: Disk, path: string): Promise<boolean> {
  if (!(await orElse(disk.lstat(path), null, 'ENOENT', 'ENOTDIR'))?.isDirectory()) return false
  const isSticky = ((await disk.lstat(dirname(path))).mode & STICKY) !== 0
  return !isSticky || (await disk.readdir(path)).length > 0
}
