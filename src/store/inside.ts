/**
 * Never out of the cache. Whoever may write in it may put a link where a directory of ours belongs, and every path
 * through it leads elsewhere then: to be read, and to be removed. So a directory is looked at before what is in it.
 *
 * What remains: between the look and the step after it somebody may be faster, where others may write to the directory
 * itself. Then a name of 128 random bits may appear elsewhere; whole trees are removed by trees.ts, which cannot be led
 * away.
 */
import type { Disk } from '../host/disk.js'
import { isErrno, orElse } from '../host/disk-errors.js'
import { type Steps, run, step } from '../host/steps.js'
import { directoriesAbove, notADirectory } from './layout.js'

/** What is in a directory; where there is none, or a link to one, nothing. */
export async function listInside(disk: Disk, path: string): ReturnType<Disk['readdir']> {
  const stats = await orElse(disk.lstat(path), null, 'ENOENT', 'ENOTDIR')
  return stats?.isDirectory() ? orElse(disk.readdir(path), [], 'ENOENT', 'ENOTDIR') : []
}

/** @throws LatchError UNSAFE_PATH where a link leads to `path` in the cache */
export async function assertInside(disk: Disk, path: string): Promise<void> {
  await run(disk, checkAbove(directoriesAbove(path)))
}

/** Of an entry of which something is open, whether it is a directory. @throws LatchError UNSAFE_PATH as above */
export function* isEntryInside(entry: string): Steps<boolean> {
  yield* checkAbove(directoriesAbove(entry))
  return yield* isNoLink(entry)
}

function* checkAbove(directories: readonly string[]): Steps<void> {
  for (const directory of directories) if (!(yield* isNoLink(directory))) throw notADirectory(directory)
}

/** What is gone by now leads nowhere. */
function* isNoLink(directory: string): Steps<boolean> {
  try {
    return (yield* step('lstat', directory)).isDirectory()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true
    throw error
  }
}
