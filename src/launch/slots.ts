/**
 * Slots: stable private directories, each leased by one worker at a time.
 *
 * Invariants:
 * - A slot is touched by whoever has claimed it, and by nobody else (latch/slot-claims.ts).
 * - What is in a slot is used only with the mark that its last worker ended well. The mark is taken away before the
 *   next one starts; so after a crash at any point there is none, and what may be half-written is set aside.
 */
import { attempt, isErrno, orElse } from '../host/disk-errors.js'
import { readSmallFile, writeRecord } from '../host/small-file.js'
import type { Opened } from '../latch/open.js'
import { claimSlot, markOf, slotPath } from '../latch/slot-claims.js'
import type { Lease } from '../lock/locker.js'
import { syncPath } from '../store/tree.js'
import { type Namespace, inNamespace, makeDirectory } from './namespace.js'

export interface Slot {
  number: number
  /** The directory that the worker has for itself. */
  path: string
  lease: Lease
  /** Units of the snapshot that a worker has left that ended well; `null`: the slot is empty. */
  present: LeftUnits | null
}

/** By unit. */
export type LeftUnits = Map<string, { generation: number; state: string }>

/**
 * Of an earlier boot it says nothing: what a worker wrote without fsync may have gone with the power. Nor of a slot
 * at another path: after a move the files inside still name the old one, and where it still is, would be read there.
 */
interface Mark {
  schema: 1
  path: string
  bootId: string | null
  units: [unit: string, generation: number, state: string][]
}

const MAX_MARK_BYTES = 16 * 1024 * 1024

/**
 * The first of `numbers` that nobody has; `null` when all are taken.
 * @param numbers in the order of preference
 */
export async function leaseSlot(
  opened: Opened,
  namespace: Namespace,
  numbers: Iterable<number>,
): Promise<Slot | null> {
  const { disk } = opened
  for (const number of numbers) {
    const path = slotPath(opened, namespace.name, number)
    const lease = await claimSlot(opened, path)
    if (lease === null) continue
    try {
      const marked = await takeMark(opened, path)
      // Somebody may have deleted the slot, and left its mark.
      const isThere = await orElse(
        disk.lstat(path).then((stats) => stats.isDirectory()),
        false,
        'ENOENT',
      )
      const present = isThere ? marked : null
      if (present === null) await setAside(opened, path)
      await inNamespace(opened, namespace, () => makeDirectory(disk, path))
      return { number, path, lease, present }
    } catch (error) {
      await attempt(lease.release())
      throw error
    }
  }
  return null
}

/** Takes the mark away and makes sure of it; `null`: there was none, or it cannot be read. */
async function takeMark(opened: Opened, path: string): Promise<LeftUnits | null> {
  const present = await readMark(opened, path)
  const { disk } = opened
  try {
    await disk.unlink(markOf(path))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
  // Were the mark back after a power cut, what is torn in the slot would be taken for whole.
  await syncPath(disk, path.slice(0, path.lastIndexOf('/')))
  return present
}

async function readMark({ disk, host }: Opened, path: string): Promise<LeftUnits | null> {
  try {
    const mark = JSON.parse(await readSmallFile(disk, markOf(path), MAX_MARK_BYTES)) as Mark
    if (mark.bootId !== host.processes.bootId || mark.path !== path) return null
    return new Map(mark.units.map(([unit, generation, state]) => [unit, { generation, state }]))
  } catch {
    return null
  }
}

/** Its worker has ended well, and all of `present` is as it is in the snapshot. */
export async function markEndedWell(
  { disk, host }: Opened,
  { path }: Slot,
  present: LeftUnits,
): Promise<void> {
  const units: Mark['units'] = [...present].map(([unit, { generation, state }]) => [unit, generation, state])
  const mark: Mark = { schema: 1, path, bootId: host.processes.bootId, units }
  await attempt(writeRecord(disk, markOf(path), mark, host.processes.token()))
}

/** Out of the way at once; deleted while the worker starts. */
async function setAside({ disk, layout, host }: Opened, path: string): Promise<void> {
  const place = layout.discarded(`${host.processes.token()}.doomed`)
  try {
    await disk.rename(path, place)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  // What is left when this ends first is gc's.
  void attempt(host.pooledDisk.removeTree(place))
}
