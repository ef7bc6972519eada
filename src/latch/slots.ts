/** Slots as gc sees them: working copies of what is in a snapshot, each to be removed while nobody has it. */
import type { RemoveOutcome } from '../core/report.js'
import { attempt, orElse } from '../host/disk-errors.js'
import { assertInside, listInside } from '../store/inside.js'
import { measure } from '../store/measure.js'
import { discard } from '../store/stage.js'
import type { Opened } from './open.js'
import { assertTells } from './pins.js'
import { claimSlot, isOurSlot, markOf, markedBy } from './slot-claims.js'

export interface SlotFound {
  namespace: string
  name: string
  path: string
  bytes: number
  /** When its last worker ended; of one that somebody has: now. Milliseconds since 1970. */
  usedAt: number
}

/** On a network file system, those of this host: whether another host's is in use can only be seen there. */
export async function* slotsIn(opened: Opened, namespace: string): AsyncGenerator<SlotFound> {
  const { disk, layout, host } = opened
  const children = await listInside(disk, `${layout.slots}/${namespace}`)
  // A mark without its slot goes the same way.
  const names = children.map((child) => (child.isDirectory() ? child.name : markedBy(child.name)))
  for (const name of new Set(names)) {
    if (name === null || !isOurSlot(opened, name)) continue
    const path = layout.slot(namespace, name)
    const idleSince = await lastUse(opened, path)
    if (idleSince === null) continue
    const usedAt = (await isInUse(opened, path)) ? host.clock.wallTime() : idleSince
    const { bytes } = await measure(disk, path)
    yield { namespace, name, path, bytes, usedAt }
  }
}

/** Whose worker ended well has a mark until the next one comes; of others, only their lock tells. */
async function isInUse(opened: Opened, path: string): Promise<boolean> {
  if ((await orElse(opened.disk.lstat(markOf(path)), null, 'ENOENT')) !== null) return false
  const lease = await claimSlot(opened, path)
  await attempt(lease?.release() ?? Promise.resolve())
  return lease === null
}

/** `null`: there is nothing of it. */
async function lastUse({ disk }: Opened, path: string): Promise<number | null> {
  const mark = await orElse(disk.lstat(markOf(path)), null, 'ENOENT')
  const stats = mark ?? (await orElse(disk.lstat(path), null, 'ENOENT'))
  return stats?.mtimeMs ?? null
}

/** Removes the slot unless somebody has it, or had it since `usedAt`. A worker that comes meanwhile takes another. */
export async function removeSlot(
  opened: Opened,
  { path, usedAt }: Pick<SlotFound, 'path' | 'usedAt'>,
): Promise<RemoveOutcome> {
  const { disk, layout, host } = opened
  assertTells(opened)
  await assertInside(disk, path)
  const lease = await claimSlot(opened, path)
  if (lease === null) return 'in-use'
  const place = layout.discarded(`${host.processes.token()}.doomed`)
  try {
    const lastUsedAt = await lastUse(opened, path)
    if (lastUsedAt === null) return 'missing'
    if (lastUsedAt > usedAt) return 'in-use'
    // First the mark: a slot without is made anew, but one that is gone must not be taken for whole.
    await orElse(disk.unlink(markOf(path)), undefined, 'ENOENT')
    await orElse(disk.rename(path, place), undefined, 'ENOENT')
  } finally {
    await attempt(lease.release())
  }
  await discard(disk, place)
  return 'removed'
}
