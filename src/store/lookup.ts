/**
 * Reading, without a lock. Invariant: what is handed out was whole when it was looked at, and nobody changes it
 * afterwards; whoever wants it to stay pins it, and looks again whether the path still names what was pinned.
 */
import type { Disk, Stats } from '../host/disk.js'
import { isErrno, orElse } from '../host/disk-errors.js'
import { sha256File } from '../host/hash.js'
import { readSmall, regularFile } from '../host/small-file.js'
import { isLatchError } from '../core/errors.js'
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

/** @param path the entry's directory, wherever it is */
export async function lookUp(disk: Disk, path: string, key: string, check: Check): Promise<Lookup> {
  let fd: number
  try {
    fd = await disk.openRead(`${path}/${MANIFEST}`)
  } catch (error) {
    return withoutManifest(disk, path, error)
  }
  let found = false
  try {
    const lookup = await readEntry(disk, fd, path, key, check)
    found = lookup.state === 'hit'
    return lookup
  } finally {
    if (!found) await disk.close(fd)
  }
}

/** Whether a whole entry of `key` is there. */
export async function isGood(disk: Disk, path: string, key: string, check: Check): Promise<boolean> {
  const lookup = await lookUp(disk, path, key, check)
  if (lookup.state !== 'hit') return false
  await disk.close(lookup.fd)
  return true
}

async function readEntry(disk: Disk, fd: number, path: string, key: string, check: Check): Promise<Lookup> {
  let text: string
  let stats: Stats
  try {
    stats = await regularFile(disk, fd, `${path}/${MANIFEST}`)
    text = await readSmall(disk, fd, `${path}/${MANIFEST}`, stats, MAX_MANIFEST_BYTES)
  } catch (error) {
    if (isLatchError(error, 'UNSAFE_PATH')) return { state: 'damaged', reason: error.message }
    throw error
  }
  const manifest = decodeManifest(text)
  if (typeof manifest === 'string') return { state: 'damaged', reason: manifest }
  if (manifest.key !== key) return { state: 'damaged', reason: 'the manifest is that of another key' }
  const reason =
    check === 'manifest' ? null : await damageOf(disk, `${path}/${FILES}`, manifest, check === 'hashes')
  if (reason !== null) return { state: 'damaged', reason }
  return { state: 'hit', manifest, path, fd, stats }
}

/** The first thing that is wrong with the entry's files, in words. */
async function damageOf(disk: Disk, root: string, manifest: Manifest, hash: boolean): Promise<string | null> {
  for (const file of manifest.files) {
    const stats = await orElse(disk.lstat(`${root}/${file.path}`), null, 'ENOENT', 'ENOTDIR')
    if (stats === null) return `${file.path} is missing`
    if (!stats.isFile()) return `${file.path} is no regular file`
    if (stats.size !== file.size) return `${file.path} has ${stats.size} bytes instead of ${file.size}`
    if (hash && (await hashOf(disk, `${root}/${file.path}`, file.size)) !== file.sha256) {
      return `${file.path} does not match its checksum`
    }
  }
  return null
}

async function hashOf(disk: Disk, path: string, size: number): Promise<string> {
  const fd = await disk.openRead(path)
  try {
    return await sha256File(disk, fd, size)
  } finally {
    await disk.close(fd)
  }
}

/** No manifest: nothing there, an empty directory (harmless: publishing replaces it), or something planted. */
async function withoutManifest(disk: Disk, path: string, error: unknown): Promise<Lookup> {
  if (isErrno(error, 'ELOOP', 'ENXIO')) return { state: 'damaged', reason: 'the manifest is no regular file' }
  if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
  const stats = await orElse(disk.lstat(path), null, 'ENOENT', 'ENOTDIR')
  if (stats === null) return { state: 'miss' }
  if (!stats.isDirectory()) return { state: 'damaged', reason: 'the entry is no directory' }
  const isEmpty = (await orElse(disk.readdir(path), [], 'ENOENT')).length === 0
  return isEmpty ? { state: 'miss' } : { state: 'damaged', reason: 'the manifest is missing' }
}
