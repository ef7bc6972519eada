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
import type { Appending } from '../host/append-file.js'
import { attempt } from '../host/disk-errors.js'
import type { Layout } from './layout.js'

/** In the calling thread; never fails, and then nothing is counted. */
export function countNow(appending: Appending, layout: Layout, counted: readonly Counted[]): void {
  try {
    for (const [path, text] of texts(appending, layout, counted)) appending.appendNow(path, text)
  } catch {
    // A read-only or full disk, another user's directory: who works here does not care.
  }
}

/** The same in libuv's pool. */
export async function count(
  appending: Appending,
  layout: Layout,
  counted: readonly Counted[],
): Promise<void> {
  for (const [path, text] of texts(appending, layout, counted)) await attempt(appending.append(path, text))
}

function texts(
  appending: Appending,
  layout: Layout,
  counted: readonly Counted[],
): [path: string, text: string][] {
  const [first] = counted
  if (first === undefined) return []
  const day = new Date(first.at).toISOString().slice(0, 10)
  return [[`${layout.stats}/${day}.${appending.hostAndUser()}.ndjson`, counted.map(encodeCounted).join('')]]
}
