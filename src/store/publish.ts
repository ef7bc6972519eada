/**
 * Publishing: the one linearization point. Everything before it is private, everything after it is clean-up.
 *
 * Invariants:
 * - An entry's name comes into being by one rename of a complete, synced directory, and is never created before:
 *   rename onto a directory that is not empty fails (first writer wins), onto an empty one it would replace it.
 * - After an error, look whether the rename happened all the same (a lost answer of an NFS server) before failing.
 * - What comes after a good rename never makes it fail.
 */
import { LatchError } from '../core/errors.js'
import type { Disk } from '../host/disk.js'
import { isErrno } from '../host/disk-errors.js'
import type { Staged } from './stage.js'
import { assertInside } from './inside.js'
import { FILES, type Layout, MANIFEST, notADirectory } from './layout.js'
import { type Check, isGood } from './lookup.js'
import { type Manifest, encodeManifest } from './manifest.js'
import { hasHappened } from './place.js'
import { quarantine } from './quarantine.js'
import { readTree, syncName, syncPath, syncTree } from './tree.js'

export interface EntryDraft {
  stage: Staged
  /** SHA-256 of `key`. */
  id: string
  /** Canonical JSON of the key. */
  key: string
  createdAt: number
  buildMs: number
  /** How closely an entry that is there already is looked at before ours is dropped. */
  check: Check
}

/** Each time somebody's damaged or planted thing stands at the name, it is moved away. */
const MAX_TRIES = 5

/** How far sealing is: of the bytes of all files, those that were hashed and are on their way to the device. */
export interface SealProgress {
  bytes: number
  totalBytes: number
  files: number
}

export interface SealOptions {
  onProgress?: ((progress: SealProgress) => void) | undefined
  /** Ends it between two files; rejects with its reason. */
  signal?: AbortSignal | undefined
}

export async function sealEntry(
  disk: Disk,
  draft: EntryDraft,
  { onProgress, signal }: SealOptions = {},
): Promise<Manifest> {
  const root = `${draft.stage.path}/${FILES}`
  const tree = await readTree(disk, root)
  if (tree.files.length === 0) throw emptyBuild(root)
  const progress = { bytes: 0, totalBytes: sumOfSizes(tree.files), files: tree.files.length }
  const onBytes = (count: number): void => {
    progress.bytes += count
    onProgress?.(progress)
  }
  const hashes = await syncTree(disk, root, tree, { onBytes, signal })
  const manifest: Manifest = {
    key: draft.key,
    createdAt: draft.createdAt,
    buildMs: Math.round(draft.buildMs),
    bytes: progress.totalBytes,
    files: tree.files.map((file, index) => ({ ...file, sha256: hashes[index]! })),
    links: tree.links,
    directories: tree.directories,
  }
  await writeManifest(disk, `${draft.stage.path}/${MANIFEST}`, encodeManifest(manifest))
  await syncPath(disk, draft.stage.path)
  return manifest
}

function sumOfSizes(files: readonly { size: number }[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

async function writeManifest(disk: Disk, path: string, text: string): Promise<void> {
  const bytes = Buffer.from(text)
  const fd = await disk.createExclusive(path, 0o666)
  try {
    await disk.write(fd, bytes)
    await disk.sync(fd)
    const { size } = await disk.fstat(fd)
    if (size !== bytes.length) throw shortManifest(path)
  } finally {
    await disk.close(fd)
  }
}

/**
 * Moves the sealed stage to its final name; `false`: another writer was first, and its entry is as good.
 * @param onSeen called when the entry can be seen, and before that is on the device
 */
export async function placeEntry(
  disk: Disk,
  layout: Layout,
  draft: EntryDraft,
  tokens: () => string,
  onSeen: () => void = () => {},
): Promise<boolean> {
  const shelf = layout.shelf(draft.id)
  await assertInside(disk, shelf)
  const isNewShelf = await makeShelf(disk, shelf)
  const isOurs = await moveToName(disk, layout, draft, tokens)
  if (isOurs) onSeen()
  // Also another's: it may not have come so far yet, and our caller is told that the entry is there.
  await syncName(disk, shelf)
  await syncNamesAbove(disk, layout, isNewShelf)
  return isOurs
}

async function moveToName(
  disk: Disk,
  layout: Layout,
  { id, key, stage, check }: EntryDraft,
  tokens: () => string,
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      await disk.rename(stage.path, layout.entry(id))
      return true
    } catch (error) {
      if (await hasHappened(disk, stage, layout.entry(id))) return true
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR') || tries === MAX_TRIES) throw error
      if (await isGood(disk, layout.entry(id), key, check)) return false
      await quarantine(disk, layout, { id, key, check, token: tokens() })
    }
  }
}

async function makeShelf(disk: Disk, shelf: string): Promise<boolean> {
  try {
    await disk.mkdir(shelf)
    return true
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    // A link would lead the rename out of the cache.
    if ((await disk.lstat(shelf)).isDirectory()) return false
    throw notADirectory(shelf, error)
  }
}

/** Up to the root, once for each cache, and snapshot, that this process has opened. */
const durable = new WeakSet<Layout>()

/**
 * Also where another has made these directories, and is about to sync their names:
 *   A: makes the shelf      B: finds it, publishes into it, syncs it, and reports the entry published
 *   the power fails, and takes the shelf's name with all that is in it
 * A new shelf may lie in a new directory: gc removes those of namespaces in which nothing is left.
 */
async function syncNamesAbove(disk: Disk, layout: Layout, isNewShelf: boolean): Promise<void> {
  await syncName(disk, layout.entries)
  if (durable.has(layout) && !isNewShelf) return
  for (const directory of layout.above) await syncName(disk, directory)
  durable.add(layout)
}

function emptyBuild(path: string): LatchError {
  return new LatchError('BUILD_INVALID', 'The build ended well and left no file.', {
    hint: 'Write the result into the directory that the build was given.',
    path,
  })
}

function shortManifest(path: string): LatchError {
  return new LatchError('DISK_ERROR', 'The manifest was written, and is shorter than what was written.', {
    hint: 'The file system lost bytes without an error: nothing was published. Check it before you go on.',
    path,
  })
}
