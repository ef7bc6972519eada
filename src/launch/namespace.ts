/**
 * A namespace: the slots and the snapshot that belong together, because what is compiled in one is of use in the
 * other. Workers of other presets, or of another key (an image, a driver), have another.
 */
import { type Key, canonicalKey } from '../core/key.js'
import type { Disk } from '../host/disk.js'
import { isErrno, orElse } from '../host/disk-errors.js'
import { sha256 } from '../host/hash.js'
import type { Opened } from '../latch/open.js'
import { type Layout, notADirectory } from '../store/layout.js'
import type { Preset } from './preset.js'

export interface Namespace {
  /** Canonical JSON. */
  key: string
  /** Its directory in `slots/` and in `snapshots/`. */
  name: string
}

/** @param presets as the user named them: what they include belongs to them */
export function namespaceOf(presets: readonly (string | Preset)[], key: Key = null): Namespace {
  const names = [...new Set(presets.map((each) => (typeof each === 'string' ? each : each.name)))].toSorted()
  const canonical = canonicalKey({ presets: names, key })
  // What a user calls a preset is no path.
  const readable = names
    .join('+')
    .replaceAll(/[^A-Za-z0-9._+-]+/g, '_')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 40)
  return { key: canonical, name: `${readable || 'slots'}-${sha256(canonical).slice(0, 16)}` }
}

/** @throws LatchError UNSAFE_PATH where something else stands */
export async function makeNamespace(disk: Disk, layout: Layout, { name }: Namespace): Promise<void> {
  for (const parent of [layout.slots, layout.snapshots])
    for (const path of [parent, `${parent}/${name}`]) await makeDirectory(disk, path)
}

/** Each time, gc has been faster: between two calls, and with nothing in the namespace. */
const MAX_TRIES = 10

/** Runs `work` in the namespace's directories. gc removes them when they are empty: then they are made again. */
export async function inNamespace<T>(
  { disk, layout }: Opened,
  namespace: Namespace,
  work: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || tries === MAX_TRIES) throw error
      await makeNamespace(disk, layout, namespace)
    }
  }
}

/** One that may be there, or be removed in this very moment. A link would lead our writes out of the cache. */
export async function makeDirectory(disk: Disk, path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await disk.mkdir(path)
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
      const there = await orElse(disk.lstat(path), null, 'ENOENT')
      if (there?.isDirectory()) return
      if (there !== null || tries === MAX_TRIES) throw notADirectory(path, error)
    }
  }
}
