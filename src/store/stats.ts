/** Reading what count.ts has written, and removing it in the end. Whole lines of the known form count, and no others. */
import { type Counted, decodeCounted } from '../core/counts.js'
import type { Disk } from '../host/disk.js'
import { attempt } from '../host/disk-errors.js'
import { linesOf } from '../host/lines.js'
import { assertInside, listInside } from './inside.js'
import type { Layout } from './layout.js'

const NAME = /^(\d{4}-\d\d-\d\d)\.[0-9a-f]{12}\.\d+\.ndjson$/
const KEEP_MS = 90 * 24 * 60 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000
/** A line of ours has some 200. */
const MAX_LINE_BYTES = 16 * 1024

/** All lines written at `since` (milliseconds since 1970) or later, in no order; one piece of a file in memory at a time. */
export async function* readCounted(disk: Disk, layout: Layout, since: number): AsyncGenerator<Counted> {
  await assertInside(disk, layout.stats)
  for (const { name } of await listInside(disk, layout.stats)) {
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
  if (!(await isFile(disk, fd))) {
    await disk.close(fd)
    return
  }
  for await (const lines of linesOf(fd, MAX_LINE_BYTES))
    for (const line of lines) {
      const counted = line === null ? null : decodeCounted(line)
      if (counted !== null) yield counted
    }
}

/** What cannot be looked at is none either: statistics are for people, and tell nobody of a trouble with the disk. */
async function isFile(disk: Disk, fd: number): Promise<boolean> {
  return disk.fstat(fd).then(
    (stats) => stats.isFile(),
    () => false,
  )
}

/** What nobody asks about any more. */
export async function removeOldStats(disk: Disk, layout: Layout, now: number): Promise<void> {
  for (const { name } of await listInside(disk, layout.stats)) {
    const day = NAME.exec(name)?.[1]
    if (day !== undefined && Date.parse(day) + DAY_MS + KEEP_MS < now)
      await attempt(disk.unlink(`${layout.stats}/${name}`))
  }
}
