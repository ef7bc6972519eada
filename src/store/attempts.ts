/**
 * `attempts/<id>.json`: what became of the last build of a key, written by whoever holds the key's lock. It decides
 * who is told of a failure and when a build that keeps crashing is given up; never whether an entry is good.
 *
 * The life of a record: `building` before the build starts; `failed` when the build threw; `crashed` when it threw
 * because a process of its own had died; removed on every other way out (published, aborted, the disk refused it).
 * Still `building` when the next holder comes: the builder died, and that is how its own crash is known.
 */
import { type Owner, parseOwner } from '../core/owner.js'
import type { Disk } from '../host/disk.js'
import { attempt } from '../host/disk-errors.js'
import { readSmallFile, writeRecord } from '../host/small-file.js'
import type { Layout } from './layout.js'

export interface Attempt {
  /** Random: tells one attempt from the next. */
  token: string
  state: 'building' | 'crashed' | 'failed'
  owner: Owner
  /** Milliseconds since 1970, of the last change. */
  at: number
  /** Builds before this one that took their process down, in a row. */
  crashes: number
  error?: { name: string; message: string; code?: string }
}

/**
 * Crashes further apart than this are not in a row: a job that is preempted every night is not broken. So after it a
 * record says nothing any more, and is a leftover.
 */
export const ROW_ENDS_AFTER_MS = 24 * 60 * 60 * 1000

const MAX_BYTES = 64 * 1024

export async function readAttempt(disk: Disk, layout: Layout, id: string): Promise<Attempt | null> {
  try {
    return parseAttempt(JSON.parse(await readSmallFile(disk, layout.attempt(id), MAX_BYTES)))
  } catch {
    return null
  }
}

/** @param draft names what is being written: see writeRecord */
export async function writeAttempt(
  disk: Disk,
  layout: Layout,
  id: string,
  record: Attempt,
  draft: string,
): Promise<void> {
  await attempt(writeRecord(disk, layout.attempt(id), record, draft))
}

export async function clearAttempt(disk: Disk, layout: Layout, id: string): Promise<void> {
  await attempt(disk.unlink(layout.attempt(id)))
}

function parseAttempt(value: unknown): Attempt | null {
  const { token, state, owner, at, crashes, error } = (value ?? {}) as Record<string, unknown>
  const parsedOwner = parseOwner(owner)
  if (typeof token !== 'string' || parsedOwner === null || !isTime(at)) return null
  if (state !== 'building' && state !== 'crashed' && state !== 'failed') return null
  if (!Number.isSafeInteger(crashes) || (crashes as number) < 0) return null
  const record: Attempt = { token, state, owner: parsedOwner, at, crashes: crashes as number }
  return state === 'failed' ? { ...record, error: parseError(error) } : record
}

/** Milliseconds that a Date knows, also some minutes later. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) < 8.64e15 - 1e9
}

function parseError(value: unknown): { name: string; message: string; code?: string } {
  const { name, message, code } = (value ?? {}) as Record<string, unknown>
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : 'unknown error',
    ...(typeof code === 'string' && { code }),
  }
}
