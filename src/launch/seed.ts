/**
 * Seeding: the units of a snapshot, copied into a slot. Never a hard link: FlashInfer links .so files anew in place,
 * under whoever has them mapped (TensorRT-LLM#18368), and a shared inode would change the snapshot.
 *
 * The slot is leased and nobody works in it. gc may remove a unit meanwhile: then the slot goes without it.
 */
import { dirname, join } from 'node:path'
import pMap from 'p-map'
import { isLatchError } from '../core/errors.js'
import type { Disk } from '../host/disk.js'
import { isErrno } from '../host/disk-errors.js'
import { NOTED_EVERY_MS, noteUse } from '../latch/last-use.js'
import type { Opened } from '../latch/open.js'
import { FILES } from '../store/layout.js'
import { lookUp } from '../store/lookup.js'
import type { Manifest } from '../store/manifest.js'
import type { Namespace } from './namespace.js'
import { SLOT_TOKEN, copyFile, copyRewritten } from './rewrite.js'
import { type PublishedUnit, type Snapshot, dropDamaged, isWithin, readSnapshot } from './snapshots.js'
import type { LeftUnits } from './slots.js'
import { makeParents } from './unit-files.js'
import { type UnitRules, stateOf, visitUnits } from './units.js'

/** Copies side by side: as many as libuv's pool has threads. */
const CONCURRENCY = 4

export interface Seeded {
  units: Snapshot
  files: number
  bytes: number
}

/** Each time, two generations of a unit have come out between two looks. */
const MAX_LOOKS = 5

/**
 * Copies the snapshot as it is now, and looks again for what went away meanwhile:
 *   we: see U1             another: publishes U2, then U3, and with it drops U1
 *   we: U1 is gone
 * @param present what its last worker has left of the snapshot; `null`: it is empty
 * @returns what of the snapshot the slot has now
 */
export async function seedSlot(
  opened: Opened,
  namespace: Namespace,
  slot: string,
  rules: UnitRules,
  present: LeftUnits | null,
): Promise<Seeded> {
  const seeded: Seeded = { units: new Map(), files: 0, bytes: 0 }
  // Somebody may have been in the slot since: cleaned up, or copied something into it.
  const there = new Map<string, string>()
  if (present)
    await visitUnits(opened.disk, slot, rules, (unit, files) => void there.set(unit, stateOf(files)))
  const job = { opened, namespace, slot, rules, present, there, made: new Set<string>() }
  const known = new Map<string, PublishedUnit | null>()
  const tried = new Set<string>()
  for (let look = 0; look < MAX_LOOKS; look++) {
    const snapshot = await readSnapshot(opened, namespace, known)
    const missing = [...snapshot.values()]
      .filter(({ unit, path }) => !seeded.units.has(unit) && !tried.has(path))
      .filter(({ unit }) => !liesBelowAnother(unit, snapshot) && !liesBelowAnother(unit, seeded.units))
    // The first look may have come to a directory before, and to another after the change.
    if (missing.length === 0 && look > 0) break
    for (const { path } of missing) tried.add(path)
    await seedUnits(job, missing, seeded)
  }
  return seeded
}

interface SeedJob {
  opened: Opened
  namespace: Namespace
  slot: string
  rules: UnitRules
  present: LeftUnits | null
  /** In which state each unit is that is in the slot before. */
  there: Map<string, string>
  /** Directories that have been made. */
  made: Set<string>
}

/** All copies have ended when this ends, with an error too: the slot is removed then, or given to another worker. */
async function seedUnits(job: SeedJob, units: PublishedUnit[], seeded: Seeded): Promise<void> {
  const failures: unknown[] = []
  const seedOne = async (published: PublishedUnit): Promise<void> => {
    if (failures.length > 0) return
    try {
      await seedOrKeep(job, published, seeded)
    } catch (error) {
      failures.push(error)
    }
  }
  await pMap(units, seedOne, { concurrency: CONCURRENCY })
  if (failures.length > 0) throw failures[0]
}

async function seedOrKeep(job: SeedJob, published: PublishedUnit, seeded: Seeded): Promise<void> {
  if (!isPresent(job, published)) {
    const copied = (await makeRoom(job, published.unit)) ? await seedUnit(job, published) : null
    if (copied === null) return
    seeded.files += copied.files.length
    seeded.bytes += copied.bytes
  }
  seeded.units.set(published.unit, published)
  await noteSeeding(job.opened, published)
}

function isPresent({ present, there }: SeedJob, { unit, generation }: PublishedUnit): boolean {
  const left = present?.get(unit)
  return left?.generation === generation && left.state === there.get(unit)
}

/** Where one worker made a file and another a directory, both are units, and a slot has room for one. */
function liesBelowAnother(unit: string, snapshot: Snapshot): boolean {
  for (let end = unit.lastIndexOf('/'); end > 0; end = unit.lastIndexOf('/', end - 1))
    if (snapshot.has(unit.slice(0, end))) return true
  return false
}

/** `false`: the slot's last worker has put a file or a link where a directory belongs; nothing is done beyond it. */
async function makeRoom({ opened, slot, made, present }: SeedJob, unit: string): Promise<boolean> {
  try {
    await makeParents(opened.disk, slot, unit, made)
  } catch (error) {
    if (isLatchError(error, 'UNSAFE_PATH')) return false
    throw error
  }
  if (present) await clear(opened, { slot, made }, unit)
  return true
}

async function clear(
  { disk }: Opened,
  { slot, made }: Pick<SeedJob, 'slot' | 'made'>,
  unit: string,
): Promise<void> {
  await disk.removeTree(`${slot}/${unit}`)
  for (const directory of made)
    if (directory === unit || directory.startsWith(`${unit}/`)) made.delete(directory)
}

/** `null`: it was removed meanwhile, or is damaged; nothing of it is in the slot. */
async function seedUnit(
  { opened, namespace, slot, rules, made }: SeedJob,
  { unit, path }: PublishedUnit,
): Promise<Manifest | null> {
  const { disk } = opened
  const found = await lookUp(disk, path, null, 'manifest')
  if (found.state !== 'hit') return null
  await disk.close(found.fd)
  const { manifest } = found
  if (!isWithin(unit, manifest)) return null
  const own = new Set<string>()
  try {
    for (const file of manifest.files) {
      const source = `${path}/${FILES}/${file.path}`
      const target = `${slot}/${file.path}`
      await makeParents(disk, slot, file.path, made)
      if (!(await isOwn(disk, `${path}/${FILES}`, file.path, own))) throw new Damaged()
      const stats = await disk.lstat(source)
      if (!stats.isFile() || stats.size !== file.size) throw new Damaged()
      if (rules.isAbsolute(file.path))
        await copyRewritten(disk, source, target, { from: SLOT_TOKEN, to: slot })
      else await copyFile(disk, source, target, stats.mtimeMs)
    }
    for (const link of manifest.links) {
      await makeParents(disk, slot, link.path, made)
      await disk.symlink(link.target, `${slot}/${link.path}`)
    }
    return manifest
  } catch (error) {
    if (!(error instanceof Damaged) && !isErrno(error, 'ENOENT', 'ENOTDIR', 'EIO')) throw error
    await clear(opened, { slot, made }, unit)
    await dropDamaged(opened, namespace, path, manifest.key)
    return null
  }
}

/**
 * Whether no link of the unit's leads to it. Through one, a file of this user's that nobody else may read would come
 * into the slot, and from there, with the next generation of the unit, into the snapshot.
 */
async function isOwn(disk: Disk, files: string, path: string, known: Set<string>): Promise<boolean> {
  const parent = dirname(path)
  if (!known.has(parent)) {
    const isThere = parent === '.' || (await isOwn(disk, files, parent, known))
    if (!isThere || !(await disk.lstat(join(files, parent))).isDirectory()) return false
    known.add(parent)
  }
  return true
}

class Damaged extends Error {}

async function noteSeeding({ disk, host }: Opened, { path, usedAt }: PublishedUnit): Promise<void> {
  const now = host.clock.wallTime()
  if (now - usedAt > NOTED_EVERY_MS) await noteUse(disk, path, now)
}
