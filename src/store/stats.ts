/**
 * `stats/<day>.<host>.<user>.ndjson`: what has happened in this cache, a line for each key a process has counted
 * something of. For people: nothing depends on it, and no failure to write it is told to anybody.
 *
 * Invariants:
 * - Two hosts never append to one file (append-file.ts says why): its name has a hash of the boot id, which no two
 *   running kernels share. Nor do two users, who may not write to each other's files.
 * - Who reads takes whole lines of the known form, and skips all others.
 */
import { type Counted, decodeCounted, encodeCounted } from '../core/counts.js'
import type { Disk } from '../host/disk.js'
import { append, appendNow } from '../host/append-file.js'
import { attempt, orElse } from '../host/disk-errors.js'
import { linesOf } from '../host/lines.js'
import { thisHostAndUser } from '../host/process.js'
import type { Layout } from './layout.js'

const NAME = /^(\d{4}-\d\d-\d\d)\.[0-9a-f]{12}\.\d+\.ndjson$/
const KEEP_MS = 90 * 24 * 60 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000
/** A line of ours has some 200. */
const MAX_LINE_BYTES = 16 * 1024

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

/** All lines written at `since` (milliseconds since 1970) or later, in no order; one piece of a file in memory at a time. */
export async function* readCounted(disk: Disk, layout: Layout, since: number): AsyncGenerator<Counted> {
  for (const { name } of await orElse(disk.readdir(layout.stats), [], 'ENOENT')) {
    const day = NAME.exec(name)?.[1]
    // A file begins and ends with its day, and other clocks may be a day off.
    if (day === undefined || Date.parse(day) + 2 * DAY_MS < since) continue
    for await (const counted of countedIn(disk, `${layout.stats}/${name}`))
      if (counted.at >= since) yield counted
  }
}

/** Never through a link, nor stuck on a FIFO: whoever may write here may have put one. */
async function* countedIn(disk: Disk, path: string): AsyncGenerator<Counted> {
  const fd = await disk.openRead(path).catch(() => null)
  if (fd === null) return
  if (!(await disk.fstat(fd)).isFile()) {
    await disk.close(fd)
    return
  }
  for await (const lines of linesOf(fd, MAX_LINE_BYTES))
    for (const line of lines) {
      const counted = line === null ? null : decodeCounted(line)
      if (counted !== null) yield counted
    }
}

/** What nobody asks about any more. */
export async function removeOldStats(disk: Disk, layout: Layout, now: number): Promise<void> {
  for (const { name } of await orElse(disk.readdir(layout.stats), [], 'ENOENT')) {
    const day = NAME.exec(name)?.[1]
    if (day !== undefined && Date.parse(day) + DAY_MS + KEEP_MS < now)
      await attempt(disk.unlink(`${layout.stats}/${name}`))
  }
}
