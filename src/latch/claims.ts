/**
 * gc's side of the pins: the right to remove an entry, had only while nobody uses it.
 *
 * Where the locker shares (flock), a pin is a shared hold on the open manifest, and a claim an exclusive one:
 *   we: claim, rename, close       a reader: opens the manifest, holds it, looks whether the path still names it
 * A reader that holds first keeps the claim away; one that comes while we claim is refused; one that holds after we
 * have closed finds another thing at the path, or nothing. Where it does not, see pins.ts.
 */
import { isErrno } from '../host/disk-errors.js'
import type { Claiming } from '../store/collect.js'
import { inspect } from '../store/inventory.js'
import { MANIFEST } from '../store/layout.js'
import type { SharedHolds } from '../lock/locker.js'
import type { Opened } from './open.js'
import { assertTells, claimByLocks, identify, isUnchanged, seen } from './pins.js'

/** @throws LatchError LOCK_UNAVAILABLE where the locker cannot tell who uses an entry */
export async function claimEntry(opened: Opened, id: string): Promise<Claiming> {
  const { locker } = opened
  if (locker.shares) return claimByHold(opened, id, locker.shares)
  assertTells(opened)
  return claimByLocks(opened, id)
}

async function claimByHold(opened: Opened, id: string, shares: SharedHolds): Promise<Claiming> {
  const { disk, layout } = opened
  let fd: number
  try {
    fd = await disk.openRead(`${layout.entry(id)}/${MANIFEST}`)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return claimWithoutManifest(opened, id)
    throw error
  }
  let claimed = false
  try {
    claimed = await shares.claim(fd)
    if (!claimed) return 'in-use'
    const now = seen(await disk.fstat(fd), true)
    return { usedAt: now.usedAt, isMeant: isUnchanged(opened, now), letGo: () => disk.close(fd) }
  } catch (error) {
    claimed = false
    throw error
  } finally {
    if (!claimed) await disk.close(fd)
  }
}

/** Nobody can look such an entry up, so nobody can use it, unless it was used before it was damaged. */
async function claimWithoutManifest(opened: Opened, id: string): Promise<Claiming> {
  const { disk, layout } = opened
  const now = await identify(opened, layout.entry(id))
  if (now === null || (await inspect(disk, layout, id)) === null) return 'missing'
  return { usedAt: now.usedAt, isMeant: isUnchanged(opened, now), letGo: () => Promise.resolve() }
}
