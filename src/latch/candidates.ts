/**
 * What gc may remove: entries, units of snapshots, and slots, each with its last use.
 *
 * A worker lives with the whole snapshot that its slot was seeded from, for weeks, and touches nothing of it. So the
 * newest generation of a unit was last used when a slot of its namespace was: else the snapshot of workers that run
 * would be the first to go, and the next of them cold. Of what was used at one time, a slot goes before the snapshot of
 * which it is a working copy.
 */
import { keyLabel } from '../core/key.js'
import type { EntryReport, RemovalKind, RemoveOutcome } from '../core/report.js'
import { orElse } from '../host/disk-errors.js'
import { type Candidate, takeAway } from '../store/collect.js'
import { inspect, takeInventory } from '../store/inventory.js'
import { claimEntry } from './claims.js'
import type { Opened } from './open.js'
import { removeSlot, slotsIn } from './slots.js'
import { type Home, type UnitKey, homeOf, namespacesOf, unitOf } from './snapshots.js'

export interface Victim extends Candidate {
  kind: RemovalKind
  /** Of a slot, its name. */
  id: string
  key: string | null
  namespace: string | null
  unit: string | null
  path: string
  home: Home
}

/** What comes first goes first, of what was last used at one time. */
export async function* findVictims(opened: Opened, graceMs: number): AsyncGenerator<Victim> {
  for (const name of await namespacesOf(opened)) yield* inNamespace(homeOf(opened, name), name, graceMs)
  const home: Home = { opened, namespace: null }
  for await (const entry of takeInventory(opened.disk, opened.layout))
    yield { ...asVictim(home, entry), kind: 'entry', key: entry.key && keyLabel(entry.key) }
}

async function* inNamespace(home: Home, namespace: string, graceMs: number): AsyncGenerator<Victim> {
  const { opened } = home
  let slotUsedAt = 0
  for await (const { name, path, bytes, usedAt } of slotsIn(opened, namespace)) {
    slotUsedAt = Math.max(slotUsedAt, usedAt)
    yield { kind: 'slot', id: name, key: null, namespace, unit: null, path, bytes, usedAt, home }
  }
  const units: { entry: EntryReport; key: UnitKey | null }[] = []
  for await (const entry of takeInventory(opened.disk, opened.layout))
    units.push({ entry, key: unitOf(entry.key) })
  const newest = newestOf(units)
  const now = opened.host.clock.wallTime()
  for (const { entry, key } of units) {
    const last = key && newest.get(nameOf(key))!
    const isNewest = key !== null && key.generation === last!.generation
    yield {
      ...asVictim(home, entry),
      kind: 'unit',
      unit: key?.unit ?? null,
      usedAt: isNewest ? Math.max(entry.usedAt, slotUsedAt) : entry.usedAt,
      superseded: key !== null && isSuperseded(key, last!, now - graceMs),
    }
  }
}

interface Newest {
  generation: number
  createdAt: number
}

function newestOf(units: { entry: EntryReport; key: UnitKey | null }[]): Map<string, Newest> {
  const newest = new Map<string, Newest>()
  for (const { entry, key } of units)
    if (key && key.generation > (newest.get(nameOf(key))?.generation ?? -1))
      newest.set(nameOf(key), { generation: key.generation, createdAt: entry.createdAt ?? 0 })
  return newest
}

/** In a directory that anybody may write to, what is of another namespace supersedes nothing of this one. */
const nameOf = ({ snapshot, unit }: UnitKey): string => `${snapshot}\0${unit}`

/** From the one before the newest, somebody may be seeding: for as long as gc leaves alone what is young. */
function isSuperseded({ generation }: UnitKey, newest: Newest, before: number): boolean {
  const behind = newest.generation - generation
  return behind > 1 || (behind === 1 && newest.createdAt <= before)
}

function asVictim(home: Home, { id, path, bytes, usedAt }: EntryReport): Omit<Victim, 'kind'> {
  return { id, key: null, namespace: home.namespace, unit: null, path, bytes, usedAt, home }
}

/** Unless it is in use, or was used since. */
export function take(
  victim: Pick<Victim, 'kind' | 'id' | 'path' | 'usedAt' | 'home'>,
): Promise<RemoveOutcome> {
  const { opened } = victim.home
  if (victim.kind === 'slot') return removeSlot(opened, victim)
  const { disk, layout, host } = opened
  return takeAway(disk, layout, victim, host.processes.token(), (id) => claimEntry(opened, id))
}

export async function isThere({ kind, id, path, home }: Victim): Promise<boolean> {
  const { disk, layout } = home.opened
  if (kind === 'slot') return (await orElse(disk.lstat(path), null, 'ENOENT')) !== null
  return (await inspect(disk, layout, id)) !== null
}
