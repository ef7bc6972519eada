/**
 * Whole trees: only where nothing depends on it being one step.
 *
 * Invariant: nothing is removed but what lies below the path that was given. Whoever may write in a tree may put a link
 * in the place of a directory between the look at it and the step into it:
 *   we: see a directory D     somebody: puts a link to /home/jane in its place     we: remove D/letters
 * So each directory is held open, and what is in it is named through it (proc(5), /proc/PID/fd), not by its path.
 */
import { constants } from 'node:fs'
import { basename, dirname } from 'node:path'
import pMap from 'p-map'
import { LatchError } from '../core/errors.js'
import { isErrno, orElse } from './disk-errors.js'
import { inPool } from './pool.js'

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** <fcntl.h>, Linux: a descriptor that names a file and needs no permission to read it. */
const O_PATH = 0o10000000
/** As many as libuv has threads; without hurry: all at once, 10 000 files take 40 MB that the process then keeps. */
const CONCURRENCY = 4
/** Each level takes a descriptor. No build makes so many. */
const MAX_DEPTH = 256

/**
 * Removes what is there; nothing there is fine.
 * @param path absolute, without links above its last part
 * @throws errno errors; LatchError UNSAFE_PATH where it leads somewhere else by now
 */
export async function removeTree(path: string): Promise<void> {
  if (process.platform !== 'linux') return removeByName(path)
  const parent = await openParent(path)
  if (parent === null) return
  try {
    const real = await orElse(readlink(through(parent)), null, 'ENOENT')
    if (real === null) return await removeByName(path) // No /proc.
    if (real !== dirname(path)) throw ledAway(path, real)
    if (!(await isUnlinked(parent, basename(path)))) await removeDirectory(parent, basename(path), 1)
  } finally {
    await close(parent)
  }
}

async function removeByName(path: string): Promise<void> {
  const { default: fsExtra } = await import('fs-extra')
  await fsExtra.remove(path)
}

const open = (path: string, flags: number): Promise<number> => inPool('open', path, flags) as Promise<number>
const close = (fd: number): Promise<unknown> => inPool('close', fd)
const chmod = (path: string, mode: number): Promise<unknown> => inPool('chmod', path, mode)
const readdir = (path: string): Promise<string[]> => inPool('readdir', path) as Promise<string[]>
const readlink = (path: string): Promise<string> => inPool('readlink', path) as Promise<string>
const rmdir = (path: string): Promise<unknown> => inPool('rmdir', path)
const unlink = (path: string): Promise<unknown> => inPool('unlink', path)

const through = (fd: number): string => `/proc/self/fd/${fd}`

async function openParent(path: string): Promise<number | null> {
  try {
    return await orElse(open(dirname(path), DIRECTORY), null, 'ENOENT')
  } catch (error) {
    throw isErrno(error, 'ENOTDIR', 'ELOOP') ? ledAway(path, 'somewhere else') : error
  }
}

async function removeDirectory(parent: number, name: string, depth: number): Promise<void> {
  const path = `${through(parent)}/${name}`
  const directory = await openDirectory(path)
  if (directory === null) return
  try {
    if (depth > MAX_DEPTH) throw tooDeep(await readlink(through(directory)))
    const names = await readdir(through(directory))
    const unlinked = await pMap(names, (each) => isUnlinked(directory, each), { concurrency: CONCURRENCY })
    for (const [index, each] of names.entries())
      if (!unlinked[index]) await removeDirectory(directory, each, depth + 1)
  } finally {
    await close(directory)
  }
  await orElse(rmdir(path), undefined, 'ENOENT')
}

/** `false`: it is a directory. */
async function isUnlinked(parent: number, name: string): Promise<boolean> {
  const path = `${through(parent)}/${name}`
  try {
    await orElse(unlink(path), undefined, 'ENOENT')
  } catch (error) {
    // EPERM: macOS, and POSIX, for a directory.
    if (isErrno(error, 'EISDIR', 'EPERM')) return false
    if (!isErrno(error, 'EACCES')) throw error
    // Some builds leave directories without write permission: not even their owner may remove what is in there.
    await chmod(through(parent), 0o700)
    return isUnlinkedNow(path)
  }
  return true
}

async function isUnlinkedNow(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (isErrno(error, 'EISDIR', 'EPERM')) return false
    throw error
  }
}

/** `null`: it is gone. */
async function openDirectory(path: string): Promise<number | null> {
  try {
    return await orElse(open(path, DIRECTORY), null, 'ENOENT')
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error
    await makeReadable(path)
    return open(path, DIRECTORY)
  }
}

async function makeReadable(path: string): Promise<void> {
  const directory = await open(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await chmod(through(directory), 0o700)
  } finally {
    await close(directory)
  }
}

function ledAway(path: string, real: string): LatchError {
  return new LatchError(
    'UNSAFE_PATH',
    `${dirname(path)} leads to ${real} by now: nothing is removed there.`,
    {
      hint: 'Somebody put a link there: look at it, then remove it.',
      path,
    },
  )
}

function tooDeep(path: string): LatchError {
  return new LatchError(
    'UNSAFE_PATH',
    `Nested more than ${MAX_DEPTH} deep, and so nothing of ours: ${path}`,
    {
      hint: 'Somebody else put it there: look at it, then remove it.',
      path,
    },
  )
}
