/** The next safest thing: a result for this caller alone, in a directory outside of the cache. */
import { LatchError } from '../core/errors.js'
import { makePrivateDirectory, removePrivateDirectory } from '../host/temporary.js'
import { pooledDisk } from '../host/disk.js'
import { announceDegradation } from './events.js'
import { type Entry, makeEntry } from './entry.js'
import { refuseToWaitForItself, whileBuilding } from './holding.js'
import type { Build, CompileOptions } from './compile.js'

export async function compilePrivately(
  root: string,
  key: string,
  build: Build,
  why: unknown,
  { signal, keepPrivate = false }: CompileOptions,
): Promise<Entry> {
  const place = `private:${root}:${key}`
  refuseToWaitForItself(place, key)
  announceDegradation(root, key, why)
  const dir = await makePrivateDirectory(keepPrivate)
  const remove = async (): Promise<void> => removePrivateDirectory(dir)
  try {
    await whileBuilding(place, () => build({ dir, signal: signal ?? new AbortController().signal }))
    if ((await pooledDisk.readdir(dir)).length === 0) throw leftNothing(dir)
  } catch (error) {
    await remove()
    throw error
  }
  return makeEntry(dir, 'private', keepPrivate ? () => Promise.resolve() : remove)
}

function leftNothing(path: string): LatchError {
  return new LatchError('BUILD_INVALID', 'The build ended well and left no file.', {
    hint: 'Write the result into the directory that the build was given.',
    path,
  })
}
