/** What is in the cache, by looking alone. */
import type { LeftoverCounts } from '../core/report.js'
import { messageOf } from '../core/errors.js'
import { pooledDisk as disk } from '../host/disk.js'
import { isErrno, orElse } from '../host/disk-errors.js'
import type { Host } from '../host/host.js'
import { kernelMechanism } from '../lock/kernel.js'
import { type Format, readFormat } from '../store/format.js'
import { listInside } from '../store/inside.js'
import { takeInventory } from '../store/inventory.js'
import type { Layout } from '../store/layout.js'
import { countLeftovers } from '../store/leftover-count.js'

export interface Contents {
  /** `null`: there is no cache, or `formatError` says why nothing can be told. */
  format: Format | null
  formatError: string | null
  entries: number
  bytes: number
  /** Of the largest entry. */
  largestBytes: number
  damaged: number
  leftovers: Omit<LeftoverCounts, 'records'>
}

/** As gc's own: what is younger may be somebody's at work. */
const GRACE_MS = 60_000

export async function lookInto(host: Host, layout: Layout): Promise<Contents> {
  const known = await formatOf(layout)
  const found = { entries: 0, bytes: 0, largestBytes: 0, damaged: 0 }
  // A link, say: what is below it is not the cache's.
  if ((await orElse(disk.lstat(layout.top), null, 'ENOENT'))?.isDirectory() === false)
    return { ...known, ...found, leftovers: { stages: 0, trash: 0, drafts: 0 } }
  for await (const { bytes, state } of takeInventory(disk, layout)) {
    found.entries++
    found.bytes += bytes
    found.largestBytes = Math.max(found.largestBytes, bytes)
    if (state === 'damaged') found.damaged++
  }
  const held = new Set<string>()
  for (const { name } of await listInside(disk, layout.stage)) {
    const path = layout.staged(name)
    if (await isHeldStage(host, known.format?.locker, path)) held.add(path)
  }
  const { left } = await countLeftovers(disk, layout, {
    now: host.clock.wallTime(),
    graceMs: GRACE_MS,
    isAlive: (path) => held.has(path),
  })
  return { ...known, ...found, leftovers: left }
}

async function formatOf(layout: Layout): Promise<Pick<Contents, 'format' | 'formatError'>> {
  try {
    return { format: await readFormat(disk, layout), formatError: null }
  } catch (error) {
    return { format: null, formatError: messageOf(error) }
  }
}

/** With network locks, the token beside it: a dead writer's stays until gc has watched it. */
async function isHeldStage(host: Host, locker: string | undefined, path: string): Promise<boolean> {
  try {
    if (locker !== 'kernel') return (await disk.lstat(`${path}.held`)).isDirectory()
    const fd = await disk.openRead(path)
    try {
      return !(await kernelMechanism(host).shares!.claim(fd))
    } finally {
      await disk.close(fd)
    }
  } catch (error) {
    return !isErrno(error, 'ENOENT')
  }
}
