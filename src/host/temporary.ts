/** Directories outside every cache: gates, and private results. */
import { mkdirSync, realpathSync, rmSync, statSync, statfsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { isErrno } from './disk-errors.js'

/** The user's own directory for gates, on a disk local to this host. */
export function gateDirectory(): string {
  return join(process.env['CACHELATCH_GATE_DIR'] ?? tmpdir(), `cachelatch-${userInfo().uid}`)
}

export function currentUid(): number {
  return userInfo().uid
}

const doomed = new Set<string>()
let watchesExit = false

/** A new directory of this process's own. Unless it is to be kept, it goes when the process exits. */
export async function makePrivateDirectory(keep: boolean): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cachelatch-private-'))
  if (keep) return path
  if (!watchesExit) process.once('exit', removeAll)
  watchesExit = true
  doomed.add(path)
  return path
}

export function removePrivateDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true })
  doomed.delete(path)
}

function removeAll(): void {
  for (const path of doomed) rmSync(path, { recursive: true, force: true })
}

/** The directory itself, with all links resolved: two names of one place must mean one lock. Created if missing. */
export function makeRealDirectory(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
  makeDirectory(path)
  return realpathSync(path)
}

/** Not mkdir's own `recursive`: that reports ENOENT on a read-only file system. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return // By another process, in this very moment.
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error
    makeDirectory(dirname(path))
    makeDirectory(path)
  }
}

/** Tells the directory that a link leads to from another one later; `null` where there is none. */
export function linkIdentity(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`
}

/** What an ordinary user may still write on the file system of `path`; no inode left counts as no byte left. */
export function freeBytes(path: string): number {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(path)
    return files > 0 && ffree === 0 ? 0 : bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
