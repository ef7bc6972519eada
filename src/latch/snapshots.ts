/**
 * The snapshots of a cache, as upkeep sees them: each is a directory of entries, to be listed, verified and removed as
 * the cache's own are. What is in them, and how they come about, is launch/snapshots.ts.
 */
import { basename } from 'node:path'
import type { SnapshotReport } from '../core/report.js'
import { attempt } from '../host/disk-errors.js'
import { listInside } from '../store/inside.js'
import { directoriesIn, takeInventory } from '../store/inventory.js'
import type { Opened } from './open.js'

/** One of the directories whose entries are kept together. */
export interface Home {
  /** As if its entries were the cache's. */
  opened: Opened
  /** `null`: the cache itself. */
  namespace: string | null
}

/** The cache, and then each snapshot. */
export async function homesOf(opened: Opened): Promise<Home[]> {
  const names = await namesIn(opened, opened.layout.snapshots)
  return [{ opened, namespace: null }, ...names.map((name) => homeOf(opened, name))]
}

export function homeOf(opened: Opened, namespace: string): Home {
  return { opened: { ...opened, layout: opened.layout.snapshot(namespace) }, namespace }
}

/** Namespaces that have a snapshot, or slots, or had. */
export async function namespacesOf(opened: Opened): Promise<Set<string>> {
  const { snapshots, slots } = opened.layout
  return new Set([...(await namesIn(opened, snapshots)), ...(await namesIn(opened, slots))])
}

async function namesIn({ disk }: Opened, directory: string): Promise<string[]> {
  return (await directoriesIn(disk, directory)).map((path) => basename(path))
}

/** Directories of namespaces in which nothing is left. Who wants one in this very moment makes it again. */
export async function removeEmptyNamespaces(opened: Opened): Promise<void> {
  const { disk, layout } = opened
  const remove = (path: string): Promise<void> => attempt(disk.rmdir(path))
  for (const name of await namespacesOf(opened)) {
    const home = layout.snapshot(name).entries
    for (const shelf of await directoriesIn(disk, home)) await remove(shelf)
    await remove(home)
    await remove(`${layout.slots}/${name}`)
  }
}

export async function listSnapshots(opened: Opened): Promise<SnapshotReport[]> {
  const reports: SnapshotReport[] = []
  for (const name of await namesIn(opened, opened.layout.snapshots))
    reports.push(await describe(opened, name))
  return reports
}

async function describe(opened: Opened, name: string): Promise<SnapshotReport> {
  const { disk, layout } = homeOf(opened, name).opened
  const report: SnapshotReport = { name, key: null, units: 0, files: 0, bytes: 0, usedAt: 0, slots: 0 }
  const units = new Set<string>()
  for await (const { key, bytes, files, usedAt } of takeInventory(disk, layout)) {
    const unit = unitOf(key)
    if (unit) units.add(unit.unit)
    report.key ??= unit?.snapshot ?? null
    report.files += files
    report.bytes += bytes
    report.usedAt = Math.max(report.usedAt, usedAt)
  }
  report.units = units.size
  const slots = await listInside(disk, `${layout.slots}/${name}`)
  report.slots = slots.filter((each) => each.isDirectory()).length
  return report
}

export interface UnitKey {
  /** The key of its namespace. */
  snapshot: string
  /** Its path below a slot. */
  unit: string
  generation: number
}

/** `null` for what is no unit's key. @param key canonical JSON */
export function unitOf(key: string | null): UnitKey | null {
  if (key === null) return null
  const { snapshot, unit, generation } = parsed(key)
  if (typeof snapshot !== 'string' || typeof unit !== 'string') return null
  return isGeneration(generation) ? { snapshot, unit, generation } : null
}

function parsed(key: string): Record<string, unknown> {
  try {
    return (JSON.parse(key) ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** A forged one that is infinite would be the newest for ever. */
function isGeneration(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}
