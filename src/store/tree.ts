/**
 * What a build left in its stage: looked at, made safe to publish, and brought to the device.
 *
 * Invariants of a published tree: regular files, directories, and symbolic links that stay inside it; no file
 * shares an inode with one outside (a later write in place, as FlashInfer does with its .so files, would change a
 * published entry under its readers).
 */
import { dirname, join, normalize } from 'node:path'
import pMap from 'p-map'
import { LatchError } from '../core/errors.js'
import type { Disk } from '../host/disk.js'
import { warnNotDurable } from '../host/warning.js'
import { sha256File } from '../host/hash.js'

export interface TreeFile {
  /** Relative to the tree, with `/`. */
  path: string
  size: number
  mode: number
}

export interface TreeLink {
  path: string
  target: string
}

export interface Tree {
  files: TreeFile[]
  links: TreeLink[]
  /** Deepest first, without the tree itself. */
  directories: { path: string; mode: number }[]
}

/** As many as libuv has threads: more only wait in its line. */
const CONCURRENCY = 4

/** @throws LatchError BUILD_INVALID for what cannot be published */
export async function readTree(disk: Disk, root: string): Promise<Tree> {
  const tree: Tree = { files: [], links: [], directories: [] }
  await readLevel(disk, root, '', tree)
  tree.directories.reverse()
  return tree
}

/**
 * NFS and FUSE give such a name to a file that was deleted while somebody has it open: it is gone as soon as that one
 * closes it, and an entry that counted on it would be damaged then.
 */
export const DELETED_WHILE_OPEN = /^\.(?:nfs|fuse_hidden)[0-9a-f]{8,}$/i

async function readLevel(disk: Disk, root: string, prefix: string, tree: Tree): Promise<void> {
  for (const { name } of await disk.readdir(join(root, prefix))) {
    if (DELETED_WHILE_OPEN.test(name)) continue
    const path = prefix === '' ? name : `${prefix}/${name}`
    const stats = await disk.lstat(`${root}/${path}`)
    const mode = stats.mode & 0o7777
    if (stats.isDirectory()) {
      tree.directories.push({ path, mode })
      await readLevel(disk, root, path, tree)
    } else if (stats.isFile()) {
      if (stats.nlink > 1) await separate(disk, `${root}/${path}`, mode)
      tree.files.push({ path, size: stats.size, mode })
    } else if (stats.isSymbolicLink()) {
      tree.links.push({ path, target: await linkInside(disk, root, path) })
    } else {
      throw invalid(`${path} is neither a file, nor a directory, nor a link`, `${root}/${path}`)
    }
  }
}

/** Replaces a file that has other names by a copy of its own. */
async function separate(disk: Disk, path: string, mode: number): Promise<void> {
  const copy = `${path}.cachelatch-copy`
  const from = await disk.openRead(path)
  try {
    const to = await disk.createExclusive(copy, mode)
    try {
      const chunk = Buffer.allocUnsafe(1024 * 1024)
      for (let position = 0; ;) {
        const count = await disk.read(from, chunk, position)
        if (count === 0) break
        await disk.write(to, chunk.subarray(0, count))
        position += count
      }
    } finally {
      await disk.close(to)
    }
  } finally {
    await disk.close(from)
  }
  await disk.chmod(copy, mode)
  await disk.rename(copy, path)
}

async function linkInside(disk: Disk, root: string, path: string): Promise<string> {
  const target = await disk.readlink(`${root}/${path}`)
  const resolved = normalize(join(dirname(path), target))
  if (target.startsWith('/') || resolved === '..' || resolved.startsWith('../')) {
    throw invalid(`the link ${path} leads out of the entry, to ${target}`, `${root}/${path}`)
  }
  return target
}

/**
 * Files first, then directories from the deepest up: a name is never more durable than what it names. With `hash`,
 * every file is hashed while the device is busy with it; hashes are in the order of `tree.files`.
 */
export async function syncTree(disk: Disk, root: string, tree: Tree, hash?: Hashing): Promise<string[]> {
  const finish = async ({ path, size }: TreeFile): Promise<string> => {
    if (hash) return syncAndHash(disk, `${root}/${path}`, size, hash)
    await syncPath(disk, `${root}/${path}`)
    return ''
  }
  const hashes = await pMap(tree.files, finish, { concurrency: CONCURRENCY })
  await pMap(tree.directories, ({ path }) => syncPath(disk, `${root}/${path}`), { concurrency: CONCURRENCY })
  await syncPath(disk, root)
  return hashes
}

/** What is watched while files are hashed, which may take minutes. */
export interface Hashing {
  onBytes: (count: number) => void
  signal?: AbortSignal | undefined
}

async function syncAndHash(
  disk: Disk,
  path: string,
  size: number,
  { onBytes, signal }: Hashing,
): Promise<string> {
  signal?.throwIfAborted()
  const fd = await disk.openRead(path)
  try {
    const [hash] = await Promise.all([sha256File(disk, fd, size, onBytes), disk.sync(fd)])
    return hash
  } finally {
    await disk.close(fd)
  }
}

/** Brings a name that was just made to the device. Never fails. */
export async function syncName(disk: Disk, directory: string): Promise<void> {
  try {
    await syncPath(disk, directory)
  } catch (error) {
    warnNotDurable(directory, error)
  }
}

/** fsync of a file or a directory. */
export async function syncPath(disk: Disk, path: string): Promise<void> {
  const fd = await disk.openRead(path)
  try {
    await disk.sync(fd)
  } finally {
    await disk.close(fd)
  }
}

function invalid(problem: string, path: string): LatchError {
  return new LatchError('BUILD_INVALID', `The build cannot be published: ${problem}.`, {
    hint: 'Leave only regular files, directories, and relative links that stay inside the directory.',
    path,
  })
}
