/**
 * The snapshots of a cache, as upkeep sees them: each is a directory of entries, to be listed, verified and removed as
 * the cache's own are. What is in them, and how they come about, is launch/snapshots.ts.
 */
import type { SnapshotReport } from '../core/report.js'
import { orElse } from '../host/disk-errors.js'
import { takeInventory } from '../store/inventory.js'
import type { Opened } from './open.js'

/** The cache, and then each snapshot as if it were one. */
export async function homesOf(opened: Opened): Promise<Opened[]> {
  const { disk, layout } = opened
  const homes = [opened]
  for (const each of await orElse(disk.readdir(layout.snapshots), [], 'ENOENT'))
    // A link could lead anywhere.
    if (each.isDirectory()) homes.push({ ...opened, layout: layout.snapshot(each.name) })
  return homes
}

export async function listSnapshots(opened: Opened): Promise<SnapshotReport[]> {
  const [, ...homes] = await homesOf(opened)
  const reports: SnapshotReport[] = []
  for (const home of homes) reports.push(await describe(home))
  return reports
}

async function describe({ disk, layout }: Opened): Promise<SnapshotReport> {
  const name = layout.entries.slice(layout.snapshots.length + 1)
  const report: SnapshotReport = { name, key: null, units: 0, files: 0, bytes: 0, usedAt: 0, slots: 0 }
  const units = new Set<string>()
  for await (const { key, bytes, files, usedAt } of takeInventory(disk, layout)) {
    const unit = key === null ? null : unitIn(key)
    if (unit) units.add(unit.unit)
    report.key ??= unit?.snapshot ?? null
    report.files += files
    report.bytes += bytes
    report.usedAt = Math.max(report.usedAt, usedAt)
  }
  report.units = units.size
  const slots = await orElse(disk.readdir(`${layout.slots}/${name}`), [], 'ENOENT')
  report.slots = slots.filter((each) => each.isDirectory()).length
  return report
}

/** `null` for what is no unit's key. */
function unitIn(key: string): { snapshot: string; unit: string } | null {
  const { snapshot, unit } = JSON.parse(key) as { snapshot?: unknown; unit?: unknown }
  return typeof snapshot === 'string' && typeof unit === 'string' ? { snapshot, unit } : null
}
