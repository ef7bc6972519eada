/**
 * `stats/<day>.<host>.<user>.ndjson`: what has happened in this cache, a line for each key a process has counted
 * something of. For people: nothing depends on it, and no failure to write it is told to anybody.
 *
 * Invariants:
 * - Two hosts never append to one file (append-file.ts says why): its name has a hash of the boot id, which no two
 *   running kernels share. Nor do two users, who may not write to each other's files.
 * - No line depends on another: what is torn is skipped, and only that (stats.ts).
 */
import { type Counted, encodeCounted } from '../core/counts.js'
import { append, appendNow } from '../host/append-file.js'
import { attempt } from '../host/disk-errors.js'
import { thisHostAndUser } from '../host/process.js'
import type { Layout } from './layout.js'

/** In the calling thread; never fails, and then nothing is counted. */
export function countNow(layout: Layout, counted: readonly Counted[]): void {
  try {
    for (const [path, text] of texts(layout, counted)) appendNow(path, text)
  } catch {
    // A read-only or full disk, another user's directory: who works here does not care.
  }
}

/** The same in libuv's pool. */
export async function count(layout: Layout, counted: readonly Counted[]): Promise<void> {
  for (const [path, text] of texts(layout, counted)) await attempt(append(path, text))
}

function texts(layout: Layout, counted: readonly Counted[]): [path: string, text: string][] {
  const [first] = counted
  if (first === undefined) return []
  const day = new Date(first.at).toISOString().slice(0, 10)
  return [[`${layout.stats}/${day}.${thisHostAndUser()}.ndjson`, counted.map(encodeCounted).join('')]]
}
