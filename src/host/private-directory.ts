/**
 * Directories for results outside of every cache. Each is locked for as long as its process lives, where there is a
 * way to: so the next one that needs such a directory can remove what a killed process has left.
 */
import { closeSync, constants, lstatSync, openSync, readdirSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { currentUid } from './directories.js'
import type { Native } from './native.js'

const PREFIX = 'cachelatch-private-'
/** Younger ones are left alone: their process may be about to lock them. */
const GRACE_MS = 60_000
const OPEN = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Of those that nobody locks, and nobody takes for a leftover: whether they are in use cannot be seen. */
const KEPT_PREFIX = 'cachelatch-kept-'

export interface PrivateDirectory {
  path: string
  /** Locked: a child that inherits it keeps the directory from being taken for a leftover. */
  fd: number
  /** Never fails: what stays is a leftover. */
  remove(): void
}

export interface PrivateDirectories {
  /** Removed at the latest when the process exits. @throws errno errors, and then nothing is left */
  make(): Promise<PrivateDirectory>
  /** For those who hand the path on and exit: theirs from then on, and nobody else removes it. */
  makeKept(): Promise<string>
}

export function realPrivateDirectories(native: Native | null): PrivateDirectories {
  return { make: () => makePrivateDirectory(native), makeKept: makeKeptDirectory }
}

const alive = new Set<PrivateDirectory>()
let watchesExit = false

export async function makePrivateDirectory(native: Native | null): Promise<PrivateDirectory> {
  if (native) removeLeftovers(native)
  const path = await mkdtemp(join(tmpdir(), native ? PREFIX : KEPT_PREFIX))
  let fd: number | undefined
  try {
    fd = openSync(path, OPEN)
    native?.flock(fd, 'exclusive')
  } catch (error) {
    removeQuietly(path, fd)
    throw error
  }
  return keepUntilExit(path, fd)
}

function keepUntilExit(path: string, fd: number): PrivateDirectory {
  const directory: PrivateDirectory = {
    path,
    fd,
    remove: () => removeQuietly(path, alive.delete(directory) ? fd : undefined),
  }
  if (!watchesExit) process.once('exit', () => alive.forEach((each) => each.remove()))
  watchesExit = true
  alive.add(directory)
  return directory
}

function removeQuietly(path: string, fd: number | undefined): void {
  for (const step of [
    () => rmSync(path, { recursive: true, force: true }),
    () => fd !== undefined && closeSync(fd),
  ])
    try {
      step()
    } catch {
      // Left for the next one that needs such a directory.
    }
}

function makeKeptDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), KEPT_PREFIX))
}

function removeLeftovers(native: Native): void {
  for (const name of leftoverNames()) {
    try {
      removeIfLeft(join(tmpdir(), name), native)
    } catch {
      // Another user's, or another process was faster.
    }
  }
}

function leftoverNames(): string[] {
  try {
    return readdirSync(tmpdir()).filter((each) => each.startsWith(PREFIX))
  } catch {
    return []
  }
}

function removeIfLeft(path: string, native: Native): void {
  const { uid, mtimeMs } = lstatSync(path)
  if (uid !== currentUid() || Date.now() - mtimeMs < GRACE_MS) return
  const fd = openSync(path, OPEN)
  try {
    if (native.flock(fd, 'exclusive')) rmSync(path, { recursive: true, force: true })
  } finally {
    closeSync(fd)
  }
}
