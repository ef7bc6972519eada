/** Directories outside every cache: gates, and private results. */
import { mkdirSync, realpathSync, rmSync, statfsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** The user's own directory for gates, on a disk local to this host. */
export function gateDirectory(): string {
  return join(process.env['CACHELATCH_GATE_DIR'] ?? tmpdir(), `cachelatch-${userInfo().uid}`)
}

export function currentUid(): number {
  return userInfo().uid
}

const doomed = new Set<string>()

/** A new directory of this process's own. Unless it is to be kept, it goes when the process exits. */
export async function makePrivateDirectory(keep: boolean): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cachelatch-private-'))
  if (keep) return path
  if (doomed.size === 0) process.once('exit', removeAll)
  doomed.add(path)
  return path
}

export function removePrivateDirectory(path: string): void {
  doomed.delete(path)
  rmSync(path, { recursive: true, force: true })
}

function removeAll(): void {
  for (const path of doomed) rmSync(path, { recursive: true, force: true })
}

/** The directory itself, with all links resolved: two names of one place must mean one lock. Created if missing. */
export function makeRealDirectory(path: string): string {
  mkdirSync(path, { recursive: true })
  return realpathSync(path)
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
