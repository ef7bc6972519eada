/**
 * Reading, without a lock. Invariant: what is handed out was whole when it was looked at, and nobody changes it
 * afterwards; whoever wants it to stay pins it, and looks again whether the path still names what was pinned.
 */
import { dirname } from 'node:path'
import type { Disk, Stats } from '../host/disk.js'
import { isErrno } from '../host/disk-errors.js'
import { sha256File } from '../host/hash.js'
import { readSmall } from '../host/small-file.js'
import { type QuickCalls, type Steps, run, runAtOnce, step } from '../host/steps.js'
import { isLatchError } from '../core/errors.js'
import { isEntryInside } from './inside.js'
import { FILES, MANIFEST } from './layout.js'
import { type Manifest, MAX_MANIFEST_BYTES, decodeManifest } from './manifest.js'

/**
 * How much is checked: `manifest`, its own checksum; `sizes`, also one stat a file; `hashes`, also every byte.
 */
export type Check = 'manifest' | 'sizes' | 'hashes'

export interface Found {
  state: 'hit'
  manifest: Manifest
  /** The entry's directory. */
  path: string
  /** The manifest, open: the caller closes it. */
  fd: number
  /** Of the open manifest: tells whether the path still names it, and, by its mtime, when it was last used. */
  stats: Stats
}

export type Lookup = Found | { state: 'miss' } | { state: 'damaged'; reason: string }

/** @param path the entry's directory, wherever it is @param key `null`: of whatever key */
export async function lookUp(disk: Disk, path: string, key: string | null, check: Check): Promise<Lookup> {
  const lookup = run(disk, look(disk.inThread, path, key, check))
  const settled = lookup instanceof Promise ? await lookup : lookup
  return settled.state === 'hit' && check === 'hashes' ? checkHashes(disk, settled) : settled
}

/** The same without a promise, and without hashes. */
export function lookUpAtOnce(
  calls: QuickCalls,
  path: string,
  key: string,
  check: Exclude<Check, 'hashes'>,
): Lookup {
  return runAtOnce(calls, look(calls, path, key, check))
}

function* look(calls: QuickCalls | undefined, path: string, key: string | null, check: Check): Steps<Lookup> {
  const inside = calls?.openNoLinks?.(`${path}/${MANIFEST}`) ?? null
  let fd: number
  try {
    fd = inside ?? (yield* step('openRead', `${path}/${MANIFEST}`))
  } catch (error) {
    return yield* withoutManifest(path, error)
  }
  let found = false
  try {
    const lookup =
      inside !== null || (yield* isEntryInside(path))
        ? yield* readEntry(fd, path, key, check)
        : ({ state: 'damaged', reason: 'the entry is no directory' } as const)
    found = lookup.state === 'hit'
    return lookup
  } finally {
    if (!found) yield* step('close', fd)
  }
}

/** Whether the path still names what was found. */
export async function isStillNamed(disk: Disk, found: Found): Promise<boolean> {
  return run(disk, compareWithPath(found))
}

export function isStillNamedAtOnce(calls: QuickCalls, found: Found): boolean {
  return runAtOnce(calls, compareWithPath(found))
}

function* compareWithPath({ path, stats }: Found): Steps<boolean> {
  try {
    const { ino, dev } = yield* step('lstat', `${path}/${MANIFEST}`)
    return ino === stats.ino && dev === stats.dev
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE')) return false
    throw error
  }
}

/**
 * The same, asked of the server. Clients of a network file system remember for seconds what a name led to, and an entry
 * that another has moved away is still there for them. What they open, they ask for: NFS (close-to-open) even a
 * directory, sshfs a file.
 */
export async function isNamedOnServer(disk: Disk, found: Found): Promise<boolean> {
  try {
    await disk.close(await disk.openRead(dirname(found.path)))
    await disk.close(await disk.openRead(`${found.path}/${MANIFEST}`))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE', 'ELOOP')) return false
    throw error
  }
  return isStillNamed(disk, found)
}

/** Whether a whole entry of `key` is there. */
export async function isGood(disk: Disk, path: string, key: string, check: Check): Promise<boolean> {
  const lookup = await lookUp(disk, path, key, check)
  if (lookup.state !== 'hit') return false
  await disk.close(lookup.fd)
  return true
}

function* readEntry(fd: number, path: string, key: string | null, check: Check): Steps<Lookup> {
  let text: string
  let stats: Stats
  try {
    ;({ text, stats } = yield* readSmall(fd, `${path}/${MANIFEST}`, MAX_MANIFEST_BYTES))
  } catch (error) {
    if (isLatchError(error, 'UNSAFE_PATH')) return { state: 'damaged', reason: error.message }
    throw error
  }
  const manifest = decodeManifest(text)
  if (typeof manifest === 'string') return { state: 'damaged', reason: manifest }
  if (key !== null && manifest.key !== key)
    return { state: 'damaged', reason: 'the manifest is that of another key' }
  const reason = check === 'manifest' ? null : yield* wrongSize(`${path}/${FILES}`, manifest)
  if (reason !== null) return { state: 'damaged', reason }
  return { state: 'hit', manifest, path, fd, stats }
}

/** The first file or directory that is not as it was published, in words. */
function* wrongSize(root: string, manifest: Manifest): Steps<string | null> {
  for (const directory of [root, ...manifest.directories.map(({ path }) => `${root}/${path}`)])
    if (!(yield* isDirectory(directory)))
      return `${directory.slice(root.length - FILES.length)} is no directory`
  for (const file of manifest.files) {
    let stats: Stats
    try {
      stats = yield* step('lstat', `${root}/${file.path}`)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return `${file.path} is missing`
      throw error
    }
    if (!stats.isFile()) return `${file.path} is no regular file`
    if (stats.size !== file.size) return `${file.path} has ${stats.size} bytes instead of ${file.size}`
  }
  return null
}

/** A link would lead to files that were not published. */
function* isDirectory(path: string): Steps<boolean> {
  try {
    return (yield* step('lstat', path)).isDirectory()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

/** No manifest: nothing there, an empty directory (harmless: publishing replaces it), or something planted. */
function* withoutManifest(path: string, error: unknown): Steps<Lookup> {
  if (isErrno(error, 'ELOOP', 'ENXIO')) return { state: 'damaged', reason: 'the manifest is no regular file' }
  if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
  try {
    const stats = yield* step('lstat', path)
    if (!stats.isDirectory()) return { state: 'damaged', reason: 'the entry is no directory' }
    const isEmpty = (yield* step('readdir', path)).length === 0
    return isEmpty ? { state: 'miss' } : { state: 'damaged', reason: 'the manifest is missing' }
  } catch (gone) {
    if (isErrno(gone, 'ENOENT', 'ENOTDIR')) return { state: 'miss' }
    throw gone
  }
}

async function checkHashes(disk: Disk, found: Found): Promise<Lookup> {
  let good = false
  try {
    for (const { path, size, sha256 } of found.manifest.files)
      if ((await hashOf(disk, `${found.path}/${FILES}/${path}`, size)) !== sha256)
        return { state: 'damaged', reason: `${path} does not match its checksum` }
    good = true
    return found
  } finally {
    if (!good) await disk.close(found.fd)
  }
}

/** `null` when the file cannot be read to its end. */
async function hashOf(disk: Disk, path: string, size: number): Promise<string | null> {
  try {
    const fd = await disk.openRead(path)
    try {
      return await sha256File(disk, fd, size)
    } finally {
      await disk.close(fd)
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EIO')) return null
    throw error
  }
}
