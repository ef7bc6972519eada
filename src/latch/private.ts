/** The next safest thing: a result for this caller alone, in a directory outside of the cache. */
import { LatchError } from '../core/errors.js'
import { errnoOf } from '../host/disk-errors.js'
import { freeBytes, makePrivateDirectory, removePrivateDirectory } from '../host/temporary.js'
import { pooledDisk } from '../host/disk.js'
import { announceDegradation } from './events.js'
import { type Entry, makeEntry } from './entry.js'
import type { CallerError } from './caller-error.js'
import type { Build, CompileOptions } from './compile.js'

export async function compilePrivately(
  root: string,
  key: string,
  build: Build,
  why: unknown,
  { signal, keepPrivate = false }: CompileOptions,
): Promise<Entry> {
  announceDegradation(root, key, why)
  const dir = await makePrivateDirectory(keepPrivate)
  const remove = async (): Promise<void> => removePrivateDirectory(dir)
  try {
    await build({ dir, signal: signal ?? new AbortController().signal })
    if ((await pooledDisk.readdir(dir)).length === 0) throw leftNothing(dir)
  } catch (error) {
    await remove()
    throw error
  }
  return makeEntry(dir, 'private', keepPrivate ? () => Promise.resolve() : remove)
}

const SHORT_OF_SPACE_BYTES = 1024 * 1024

/**
 * Whether a build failed because the stage's disk is full or read-only: then it is the cache's problem, not the
 * build's. A compiler that is a child process only says "exit code 1", so the disk is asked as well.
 */
export function failedForLackOfSpace({ thrown }: CallerError, directory: string): boolean {
  if (['ENOSPC', 'EDQUOT', 'EROFS'].includes(errnoOf(thrown) ?? '')) return true
  return freeBytes(directory) < SHORT_OF_SPACE_BYTES
}

function leftNothing(path: string): LatchError {
  return new LatchError('BUILD_INVALID', 'The build ended well and left no file.', {
    hint: 'Write the result into the directory that the build was given.',
    path,
  })
}
