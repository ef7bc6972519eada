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
import { attempt, isErrno } from '../host/disk-errors.js'
import type { Native } from '../host/native.js'
import { type Staged, discard } from './stage.js'
import { FILES, type Layout, MANIFEST, notADirectory } from './layout.js'
import { type Check, isGood } from './lookup.js'
import { type Manifest, encodeManifest } from './manifest.js'
import { quarantine } from './quarantine.js'
import { readTree, syncPath, syncTree } from './tree.js'

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

export async function sealEntry(disk: Disk, draft: EntryDraft): Promise<Manifest> {
  const root = `${draft.stage.path}/${FILES}`
  const tree = await readTree(disk, root)
  if (tree.files.length === 0) throw emptyBuild(root)
  const hashes = await syncTree(disk, root, tree, true)
  const manifest: Manifest = {
    key: draft.key,
    createdAt: draft.createdAt,
    buildMs: Math.round(draft.buildMs),
    bytes: tree.files.reduce((sum, { size }) => sum + size, 0),
    files: tree.files.map((file, index) => ({ ...file, sha256: hashes[index]! })),
    links: tree.links,
    directories: tree.directories,
  }
  await writeManifest(disk, `${draft.stage.path}/${MANIFEST}`, encodeManifest(manifest))
  await syncPath(disk, draft.stage.path)
  return manifest
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

/** Moves the sealed stage to its final name; `false`: another writer was first, and its entry is as good. */
export async function placeEntry(
  disk: Disk,
  layout: Layout,
  draft: EntryDraft,
  tokens: () => string,
): Promise<boolean> {
  const { id, key, stage, check } = draft
  const shelf = layout.shelf(id)
  const isNewShelf = await makeShelf(disk, shelf)
  for (let tries = 1; ; tries++) {
    try {
      await disk.rename(stage.path, layout.entry(id))
      break
    } catch (error) {
      if (await hasHappened(disk, stage, layout.entry(id))) break
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR') || tries === MAX_TRIES) throw error
      if (await isGood(disk, layout.entry(id), key, check)) return false
      await quarantine(disk, layout, { id, key, check, token: tokens() })
    }
  }
  await attempt(syncPath(disk, shelf))
  if (isNewShelf) await attempt(syncPath(disk, layout.entries))
  return true
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

/**
 * What is open as the stage now stands at the target: our own rename arrived. Nothing less proves it: a stage that is
 * gone may have been removed, and what stands at the target may be the old file.
 */
async function hasHappened(disk: Disk, stage: Staged, target: string): Promise<boolean> {
  try {
    const [ours, there] = [await disk.fstat(stage.fd), await disk.lstat(target)]
    return ours.ino === there.ino && ours.dev === there.dev
  } catch {
    return false
  }
}

/** One file onto its final name, replacing what file is there. */
export async function placeFile(disk: Disk, stage: Staged, target: string, parent: string): Promise<void> {
  try {
    await disk.rename(stage.path, target)
  } catch (error) {
    if (!(await hasHappened(disk, stage, target)))
      throw isErrno(error, 'EISDIR', 'ENOTDIR') ? unusable(target, error) : error
  }
  await attempt(syncPath(disk, parent))
}

/** A directory onto a name where none is yet; `false`: something is there. */
export async function placeDirectory(
  disk: Disk,
  stage: Staged,
  target: string,
  parent: string,
): Promise<boolean> {
  try {
    await disk.rename(stage.path, target)
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false
    if (!(await hasHappened(disk, stage, target)))
      throw isErrno(error, 'ENOTDIR') ? unusable(target, error) : error
  }
  await attempt(syncPath(disk, parent))
  return true
}

/**
 * A directory in place of another. In one call where the kernel can exchange; else by two renames, and between them
 * the name is missing for some microseconds, or until the next write if the process dies there.
 */
export async function replaceDirectory(
  disk: Disk,
  native: Native | null,
  stage: Staged,
  target: string,
  parent: string,
): Promise<void> {
  if (native?.exchange(stage.path, target)) {
    await attempt(syncPath(disk, parent))
    return // What stands at the stage now is the old one: the caller removes its stage.
  }
  const old = `${stage.path}-old`
  await disk.rename(target, old)
  try {
    await disk.rename(stage.path, target)
  } catch (error) {
    await attempt(disk.rename(old, target))
    throw error
  }
  await attempt(syncPath(disk, parent))
  await discard(disk, old)
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

/** Something of another kind stands at the target. */
export function unusable(target: string, cause?: unknown): LatchError {
  return new LatchError('TARGET_UNUSABLE', `${target} is of another kind, and is not replaced.`, {
    hint: 'A file replaces a file, a directory a directory: remove what stands there, or choose another name.',
    path: target,
    cause,
  })
}
