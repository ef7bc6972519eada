/**
 * Seeding: the units of a snapshot, copied into a slot. Never a hard link: FlashInfer links .so files anew in place,
 * under whoever has them mapped (TensorRT-LLM#18368), and a shared inode would change the snapshot.
 *
 * The slot is leased and nobody works in it. gc may remove a unit meanwhile: then the slot goes without it.
 */
import { isLatchError } from '../core/errors.js'
import { attempt, isErrno } from '../host/disk-errors.js'
import { removeTree } from '../host/trees.js'
import type { Opened } from '../latch/open.js'
import { FILES, MANIFEST } from '../store/layout.js'
import { lookUp } from '../store/lookup.js'
import type { Manifest } from '../store/manifest.js'
import type { Namespace } from './namespace.js'
import { SLOT_TOKEN, copyRewritten } from './rewrite.js'
import { type PublishedUnit, type Snapshot, dropDamaged, isWithin } from './snapshots.js'
import type { LeftUnits } from './slots.js'
import { makeParents } from './unit-files.js'
import { type UnitRules, type Units, scanUnits, stateOf } from './units.js'

/** A use is noted at most so often, as that of an entry. */
const TOUCH_EVERY_MS = 60 * 60 * 1000
/** For so long nothing else happens in this process, signals included. */
const YIELD_EVERY_MS = 50

export interface Seeded {
  units: Snapshot
  files: number
  bytes: number
}

/**
 * @param present what its last worker has left of the snapshot; `null`: it is empty
 * @returns what of the snapshot the slot has now
 */
export async function seedSlot(
  opened: Opened,
  namespace: Namespace,
  slot: string,
  snapshot: Snapshot,
  rules: UnitRules,
  present: LeftUnits | null,
): Promise<Seeded> {
  const { clock } = opened.host
  const seeded: Seeded = { units: new Map(), files: 0, bytes: 0 }
  const made = new Set<string>()
  // Somebody may have been in the slot since: cleaned up, or copied something into it.
  const there: Units = present ? await scanUnits(opened.disk, slot, rules) : new Map()
  const isPresent = (unit: string, generation: number): boolean => {
    const left = present?.get(unit)
    return left?.generation === generation && left.state === stateOf(there.get(unit) ?? [])
  }
  let yielded = clock.now()
  for (const [unit, published] of snapshot) {
    if (liesBelowAnother(unit, snapshot)) continue
    if (!isPresent(unit, published.generation)) {
      if (!(await makeRoom(opened, slot, unit, made, present !== null))) continue
      const copied = await seedUnit(opened, namespace, slot, published, rules, made)
      if (copied === null) continue
      seeded.files += copied.files.length
      seeded.bytes += copied.bytes
    }
    seeded.units.set(unit, published)
    await noteUse(opened, published)
    if (clock.now() - yielded < YIELD_EVERY_MS) continue
    await clock.sleep(0)
    yielded = clock.now()
  }
  return seeded
}

/** Where one worker made a file and another a directory, both are units, and a slot has room for one. */
function liesBelowAnother(unit: string, snapshot: Snapshot): boolean {
  for (let end = unit.lastIndexOf('/'); end > 0; end = unit.lastIndexOf('/', end - 1))
    if (snapshot.has(unit.slice(0, end))) return true
  return false
}

/** `false`: the slot's last worker has put a file or a link where a directory belongs; nothing is done beyond it. */
async function makeRoom(
  { disk }: Opened,
  slot: string,
  unit: string,
  made: Set<string>,
  isUsed: boolean,
): Promise<boolean> {
  try {
    await makeParents(disk, slot, unit, made)
  } catch (error) {
    if (isLatchError(error, 'UNSAFE_PATH')) return false
    throw error
  }
  if (isUsed) await removeTree(`${slot}/${unit}`)
  return true
}

/** `null`: it was removed meanwhile, or is damaged; nothing of it is in the slot. */
async function seedUnit(
  opened: Opened,
  namespace: Namespace,
  slot: string,
  { unit, path }: PublishedUnit,
  rules: UnitRules,
  made: Set<string>,
): Promise<Manifest | null> {
  const { disk } = opened
  const found = await lookUp(disk, path, null, 'manifest')
  if (found.state !== 'hit') return null
  await disk.close(found.fd)
  const { manifest } = found
  if (!isWithin(unit, manifest)) return null
  try {
    for (const file of manifest.files) {
      const source = `${path}/${FILES}/${file.path}`
      const target = `${slot}/${file.path}`
      await makeParents(disk, slot, file.path, made)
      const { size, mtimeMs } = await disk.lstat(source)
      if (size !== file.size) throw new Damaged()
      if (rules.isAbsolute(file.path))
        await copyRewritten(disk, source, target, { from: SLOT_TOKEN, to: slot })
      else {
        await disk.copy(source, target)
        await disk.utimes(target, mtimeMs / 1000)
      }
    }
    for (const link of manifest.links) {
      await makeParents(disk, slot, link.path, made)
      await disk.symlink(link.target, `${slot}/${link.path}`)
    }
    return manifest
  } catch (error) {
    if (!(error instanceof Damaged) && !isErrno(error, 'ENOENT', 'ENOTDIR', 'EIO')) throw error
    await removeTree(`${slot}/${unit}`)
    await dropDamaged(opened, namespace, path, manifest.key)
    return null
  }
}

class Damaged extends Error {}

async function noteUse({ disk, host }: Opened, { path, usedAt }: PublishedUnit): Promise<void> {
  const now = host.clock.wallTime()
  if (now - usedAt > TOUCH_EVERY_MS) await attempt(disk.utimes(`${path}/${MANIFEST}`, now / 1000))
}
