/**
 * `format.json`: what all contenders must agree on. Two processes with different locks would both be inside, and
 * neither would know. Written once: the whole `v1` directory appears by one rename, format.json in it.
 */
import { LatchError } from '../core/errors.js'
import type { Disk } from '../host/disk.js'
import { attempt, isErrno, orElse } from '../host/disk-errors.js'
import { readSmallFile } from '../host/small-file.js'
import { type Steps, run, step } from '../host/steps.js'
import { type Layout, SCHEMA, notADirectory } from './layout.js'

export interface Format {
  schema: typeof SCHEMA
  /** `kernel`, `lockfile`, `memory`, or the name of a locker of another origin. */
  locker: string
  /** Only with `lockfile`: after how many milliseconds without a heartbeat a holder gives its lock up. */
  staleMs?: number
  /** Random: tells a cache that was deleted and made anew from the one that a process remembers. */
  epoch: string
}

const MAX_BYTES = 64 * 1024

/** `null`: there is no cache yet. @throws LatchError FORMAT_UNKNOWN, UNSAFE_PATH where a link leads to it */
export async function readFormat(disk: Disk, layout: Layout): Promise<Format | null> {
  const top = await orElse(disk.lstat(layout.top), null, 'ENOENT')
  if (top?.isDirectory() === false) throw notADirectory(layout.top)
  const text = await orElse(readSmallFile(disk, layout.format, MAX_BYTES), null, 'ENOENT')
  return text === null ? null : parseFormat(text, layout.format)
}

/** Each time, gc with hardly any grace time took the draft for one that a crash has left. */
const MAX_TRIES = 5

/** Creates the cache unless another process is faster; returns the format that holds. */
export async function createFormat(disk: Disk, layout: Layout, mine: Format): Promise<Format> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryToCreate(disk, layout, mine)
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || tries === MAX_TRIES) throw error
    }
  }
}

async function tryToCreate(disk: Disk, layout: Layout, mine: Format): Promise<Format> {
  const draft = `${layout.root}/.v${SCHEMA}-${mine.epoch}`
  await disk.mkdir(draft)
  try {
    await writeDraft(disk, layout, draft, mine)
    if (!(await placeWhole(disk, draft, layout.top))) await completeExisting(disk, draft, layout)
  } finally {
    await attempt(disk.removeTree(draft))
  }
  return (await readFormat(disk, layout)) ?? mine
}

/** Whether the cache is still the one of `format`, with all of its directories. */
export async function isWhole(disk: Disk, layout: Layout, format: Format): Promise<boolean> {
  const now = await readFormat(disk, layout)
  if (now?.epoch !== format.epoch) return false
  const missing = await missingDirectories(disk, layout)
  return missing.length === 0
}

/** Makes what somebody has removed. Where that cannot be, who needs it will say so: readers do not. */
export async function mendDirectories(disk: Disk, layout: Layout): Promise<void> {
  for (const directory of await missingDirectories(disk, layout)) await attempt(disk.mkdir(directory))
}

/** @throws LatchError UNSAFE_PATH where a link or a file stands: our writes would follow it out of the cache */
export async function assertDirectories(disk: Disk, layout: Layout): Promise<void> {
  await missingDirectories(disk, layout)
}

async function missingDirectories(disk: Disk, layout: Layout): Promise<string[]> {
  return run(disk, lookForDirectories(layout))
}

function* lookForDirectories(layout: Layout): Steps<string[]> {
  const missing: string[] = []
  for (const directory of [layout.top, ...layout.directories])
    if (!(yield* isOurDirectory(directory))) missing.push(directory)
  for (const directory of layout.laterDirectories) yield* isOurDirectory(directory)
  return missing
}

/** `false`: nothing is there. */
function* isOurDirectory(path: string): Steps<boolean> {
  try {
    if ((yield* step('lstat', path)).isDirectory()) return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
  throw notADirectory(path)
}

async function writeDraft(disk: Disk, layout: Layout, draft: string, format: Format): Promise<void> {
  for (const directory of layout.directories) await disk.mkdir(draft + directory.slice(layout.top.length))
  const fd = await disk.createExclusive(`${draft}/format.json`, 0o666)
  try {
    await disk.write(fd, Buffer.from(`${JSON.stringify(format)}\n`))
    await disk.sync(fd)
  } finally {
    await disk.close(fd)
  }
}

async function placeWhole(disk: Disk, draft: string, top: string): Promise<boolean> {
  try {
    await disk.rename(draft, top)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false
    throw error
  }
}

/** `v1` is there: another process's, or made by hand without a format.json (for Python's locks, say). */
async function completeExisting(disk: Disk, draft: string, layout: Layout): Promise<void> {
  for (const directory of await missingDirectories(disk, layout))
    await orElse(disk.mkdir(directory), null, 'EEXIST')
  try {
    await disk.link(`${draft}/format.json`, layout.format)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return
    // No hard links here. Two that come this way at once agree on all but the epoch, and both read what stays.
    if ((await readFormat(disk, layout)) === null) await disk.rename(`${draft}/format.json`, layout.format)
  }
}

function parseFormat(text: string, path: string): Format {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw unknown(path, 'is damaged', cause)
  }
  const { schema, locker, staleMs, epoch } = (value ?? {}) as Record<string, unknown>
  if (schema !== SCHEMA) throw unknown(path, `has schema ${String(schema)}, and this version knows ${SCHEMA}`)
  if (typeof locker !== 'string' || typeof epoch !== 'string') throw unknown(path, 'is damaged')
  if (staleMs === undefined) return { schema, locker, epoch }
  if (typeof staleMs !== 'number' || !(staleMs >= 2_000)) throw unknown(path, 'is damaged')
  return { schema, locker, staleMs, epoch }
}

function unknown(path: string, problem: string, cause?: unknown): LatchError {
  return new LatchError('FORMAT_UNKNOWN', `${path} ${problem}.`, {
    hint: 'Use the version of cachelatch that made this cache, or remove the directory: a cache can be compiled anew.',
    path,
    cause,
  })
}
