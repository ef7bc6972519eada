/** The next safest thing: a result for this caller alone, in a directory outside of the cache. */
import { LatchError } from '../core/errors.js'
import { keyLabel } from '../core/key.js'
import { attempt, explain } from '../host/disk-errors.js'
import type { Host } from '../host/host.js'
import { announceDegradation, emit } from './events.js'
import { type Entry, makeEntry } from './entry.js'
import { refuseToWaitForItself, whileBuilding } from './holding.js'
import type { Build, CompileOptions } from './compile.js'

export async function compilePrivately(
  host: Host,
  root: string,
  key: string,
  build: Build,
  why: unknown,
  { signal, keepPrivate = false }: CompileOptions,
): Promise<Entry> {
  const { clock, pooledDisk } = host
  const place = `private:${root}:${key}`
  refuseToWaitForItself(place, key)
  announceDegradation(root, key, why)
  const { dir, letGo, remove } = await explained(key, directoryFor(host, keepPrivate))
  const started = clock.now()
  emit({ type: 'build-started', key, stage: dir })
  try {
    await whileBuilding(place, () =>
      build({ dir, signal: signal ?? new AbortController().signal, handOn: () => null }),
    )
    if ((await explained(key, pooledDisk.readdir(dir))).length === 0) throw leftNothing(dir)
  } catch (error) {
    emit({ type: 'build-failed', key, error, elapsedMs: clock.now() - started })
    await remove()
    throw error
  }
  return makeEntry(dir, 'private', clock.now() - started, letGo)
}

interface PrivatePlace {
  dir: string
  letGo: () => Promise<void>
  remove: () => Promise<void>
}

async function directoryFor(
  { privateDirectories, directories, pooledDisk }: Host,
  keep: boolean,
): Promise<PrivatePlace> {
  if (keep) {
    const dir = directories.real(await privateDirectories.makeKept())
    return { dir, letGo: () => Promise.resolve(), remove: () => attempt(pooledDisk.removeTree(dir)) }
  }
  const directory = await privateDirectories.make()
  const remove = async (): Promise<void> => directory.remove()
  return { dir: directory.path, letGo: remove, remove }
}

/** There is no next safest thing after this one: the temporary directory cannot be used either. */
async function explained<T>(key: string, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    const { path = 'TMPDIR' } = error as { path?: string }
    throw explain(error, `Compiling ${keyLabel(key)} privately`, path)
  }
}

function leftNothing(path: string): LatchError {
  return new LatchError('BUILD_INVALID', 'The build ended well and left no file.', {
    hint: 'Write the result into the directory that the build was given.',
    path,
  })
}
