/**
 * `<lock>.owner.json`: who holds the lock, for messages only. It may be missing, old or damaged at any time, and
 * nothing but a message changes. Hence write-file-atomic: what it may lose when it fails does not matter here.
 */
import { type Owner, parseOwner } from '../core/owner.js'
import type { Disk } from '../host/disk.js'
import { attempt } from '../host/disk-errors.js'
import { readSmallFile, writeRecord } from '../host/small-file.js'

const MAX_BYTES = 16 * 1024

const recordPath = (path: string): string => `${path}.owner.json`

export interface OwnerRecord {
  owner: Owner
  /** What the lock is for: see AcquireOptions. */
  label: string | null
}

/** @param token see writeRecord */
export async function writeOwner(
  disk: Disk,
  path: string,
  { owner, label }: OwnerRecord,
  token: string,
): Promise<void> {
  await attempt(writeRecord(disk, recordPath(path), { ...owner, label }, token))
}

export async function readOwner(disk: Disk, path: string): Promise<OwnerRecord | null> {
  try {
    const value = JSON.parse(await readSmallFile(disk, recordPath(path), MAX_BYTES)) as unknown
    const owner = parseOwner(value)
    if (owner === null) return null
    const { label } = value as { label?: unknown }
    return { owner, label: typeof label === 'string' ? label : null }
  } catch {
    return null
  }
}

export async function removeOwner(disk: Disk, path: string): Promise<void> {
  await attempt(disk.unlink(recordPath(path)))
}
