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
import { attempt, errnoOf, isErrno, orElse } from '../host/disk-errors.js'
import type { Native } from '../host/native.js'
import { discard } from './stage.js'
import { FILES, type Layout, MANIFEST } from './layout.js'
import { type Lookup, lookUp } from './lookup.js'
import { type Manifest, encodeManifest } from './manifest.js'
import { quarantine } from './quarantine.js'
import { readTree, syncPath, syncTree } from './tree.js'

export interface EntryDraft {
  stage: string
  /** SHA-256 of `key`. */
  id: string
  /** Canonical JSON of the key. */
  key: string
  createdAt: number
  buildMs: number
}

/** Each time somebody's damaged or planted thing stands at the name, it is moved away. */
const MAX_TRIES = 5

export async function sealEntry(disk: Disk, draft: EntryDraft): Promise<Manifest> {
  const root = `${draft.stage}/${FILES}`
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
  await writeManifest(disk, `${draft.stage}/${MANIFEST}`, encodeManifest(manifest))
  await syncPath(disk, draft.stage)
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
  const { id, key, stage } = draft
  const shelf = layout.shelf(id)
  const isNewShelf = await makeShelf(disk, shelf)
  for (let tries = 1; ; tries++) {
    try {
      await disk.rename(stage, layout.entry(id))
      break
    } catch (error) {
      if (await hasHappened(disk, stage, layout.entry(id))) break
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR') || tries === MAX_TRIES) throw error
      if (await isGood(disk, layout, id, key)) return false
      await quarantine(disk, layout, id, key, tokens())
    }
  }
  await attempt(syncPath(disk, shelf))
  if (isNewShelf) await attempt(syncPath(disk, layout.entries))
  return true
}

async function makeShelf(disk: Disk, shelf: string): Promise<boolean> {
  return orElse(
    disk.mkdir(shelf).then(() => true),
    false,
    'EEXIST',
  )
}

/** The stage is gone although the rename reported an error, and something is there: our own rename arrived. */
async function hasHappened(disk: Disk, stage: string, final: string): Promise<boolean> {
  const exists = async (path: string): Promise<boolean> =>
    (await orElse(disk.lstat(path), null, 'ENOENT', 'ENOTDIR')) !== null
  return !(await exists(stage)) && (await exists(final))
}

async function isGood(disk: Disk, layout: Layout, id: string, key: string): Promise<boolean> {
  const lookup: Lookup = await lookUp(disk, layout.entry(id), key, 'sizes')
  if (lookup.state !== 'hit') return false
  await disk.close(lookup.fd)
  return true
}

/** One file onto its final name, replacing what file is there. */
export async function placeFile(disk: Disk, stage: string, target: string, parent: string): Promise<void> {
  try {
    await disk.rename(stage, target)
  } catch (error) {
    if (!(await hasHappened(disk, stage, target)))
      throw isErrno(error, 'EISDIR', 'ENOTDIR') ? unusable(target, error) : error
  }
  await attempt(syncPath(disk, parent))
}

/** A directory onto a name where none is yet; `false`: something is there. */
export async function placeDirectory(
  disk: Disk,
  stage: string,
  target: string,
  parent: string,
): Promise<boolean> {
  try {
    await disk.rename(stage, target)
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
  stage: string,
  target: string,
  parent: string,
): Promise<void> {
  if (native?.exchange(stage, target)) {
    await attempt(syncPath(disk, parent))
    return discard(disk, stage)
  }
  const old = `${stage}-old`
  await disk.rename(target, old)
  try {
    await disk.rename(stage, target)
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

function unusable(target: string, cause: unknown): LatchError {
  return new LatchError('TARGET_UNUSABLE', `${target} cannot be replaced (${errnoOf(cause)}).`, {
    hint: 'A file replaces a file, a directory a directory: remove what stands there, or choose another name.',
    path: target,
    cause,
  })
}
