/** Whether an entry is, to the last bit, what was published. Only looks; the caller keeps the entry from going away. */
import type { Problem, ProblemKind } from '../core/report.js'
import type { Disk, Stats } from '../host/disk.js'
import { errnoOf, isErrno } from '../host/disk-errors.js'
import { sha256File } from '../host/hash.js'
import { FILES, MANIFEST } from './layout.js'
import type { Manifest, ManifestFile } from './manifest.js'
import { DELETED_WHILE_OPEN } from './tree.js'

/** Everything that differs from the manifest: content, size, mode, kind, link targets, what is missing or too much. */
export async function findProblems(
  disk: Disk,
  entry: string,
  manifest: Manifest,
  onBytes?: (count: number) => void,
): Promise<Problem[]> {
  const problems: Problem[] = []
  const tell = (kind: ProblemKind, file: string, message: string): void => {
    problems.push({ kind, file, message: `${file} ${message}` })
  }
  const there = new Map<string, Stats>()
  try {
    await walk(disk, entry, '', there)
    await compare(disk, entry, manifest, there, tell, onBytes)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    tell('unreadable', '.', `cannot be read: ${errnoOf(error)}`)
  }
  return problems
}

type Tell = (kind: ProblemKind, file: string, message: string) => void

async function walk(disk: Disk, root: string, prefix: string, there: Map<string, Stats>): Promise<void> {
  for (const { name } of await disk.readdir(prefix === '' ? root : `${root}/${prefix}`)) {
    if (DELETED_WHILE_OPEN.test(name)) continue
    const path = prefix === '' ? name : `${prefix}/${name}`
    const stats = await disk.lstat(`${root}/${path}`)
    there.set(path, stats)
    if (stats.isDirectory()) await walk(disk, root, path, there)
  }
}

async function compare(
  disk: Disk,
  entry: string,
  manifest: Manifest,
  there: Map<string, Stats>,
  tell: Tell,
  onBytes: ((count: number) => void) | undefined,
): Promise<void> {
  /** What there is of this name; tells when it is nothing, or of another kind. */
  const expect = (path: string, kind: string, isKind: (stats: Stats) => boolean): Stats | null => {
    const stats = there.get(path)
    there.delete(path)
    if (stats === undefined) tell('missing', path, 'is missing')
    else if (isKind(stats)) return stats
    else tell('type', path, `is no ${kind}`)
    return null
  }
  const checkMode = (path: string, stats: Stats | null, mode: number): void => {
    const actual = (stats?.mode ?? mode) & 0o7777
    if (actual !== mode) tell('mode', path, `has mode ${octal(actual)} instead of ${octal(mode)}`)
  }

  expect(MANIFEST, 'file', (stats) => stats.isFile())
  expect(FILES, 'directory', (stats) => stats.isDirectory())
  for (const { path, mode } of manifest.directories.toReversed()) {
    const name = `${FILES}/${path}`
    checkMode(
      name,
      expect(name, 'directory', (stats) => stats.isDirectory()),
      mode,
    )
  }
  for (const { path, target } of manifest.links) {
    const name = `${FILES}/${path}`
    if (expect(name, 'symbolic link', (stats) => stats.isSymbolicLink()) === null) continue
    const actual = await disk.readlink(`${entry}/${name}`)
    if (actual !== target) tell('link', name, `leads to ${actual} instead of ${target}`)
  }
  for (const file of manifest.files) {
    const name = `${FILES}/${file.path}`
    const stats = expect(name, 'regular file', (stats) => stats.isFile())
    checkMode(name, stats, file.mode)
    if (stats === null) continue
    if (stats.size !== file.size) tell('size', name, `has ${stats.size} bytes instead of ${file.size}`)
    else await checkContent(disk, entry, name, file, tell, onBytes)
  }
  for (const path of there.keys()) tell('extra', path, 'does not belong there')
}

async function checkContent(
  disk: Disk,
  entry: string,
  name: string,
  { size, sha256 }: ManifestFile,
  tell: Tell,
  onBytes: ((count: number) => void) | undefined,
): Promise<void> {
  try {
    const fd = await disk.openRead(`${entry}/${name}`)
    try {
      if ((await sha256File(disk, fd, size, onBytes)) !== sha256)
        tell('content', name, 'does not match its checksum')
    } finally {
      await disk.close(fd)
    }
  } catch (error) {
    if (!isErrno(error, 'EIO')) throw error
    tell('content', name, 'cannot be read from the disk: EIO')
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
