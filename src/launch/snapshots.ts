/**
 * Snapshots: what the slots of a namespace are seeded from. A snapshot is a set of units, and each unit is an entry
 * of its own, staged, sealed and placed as every entry is. So it is immutable and verified, two publishers at once
 * both keep their work, and publishing again costs only what is new.
 *
 * A unit that grows is published as its next generation, by a worker that had this very generation in its slot:
 *   A: seeded with U1, adds a file        B: seeded with U1, adds another
 *   A: publishes U2                       B: publishes U2: somebody was first, and B's is dropped
 * so what lies in one generation is always what one worker has seen together. A worker that was seeded with less than
 * the newest generation publishes nothing of that unit.
 */
import { basename, dirname, join } from 'node:path'
import { canonicalKey } from '../core/key.js'
import { attempt, isErrno, orElse } from '../host/disk-errors.js'
import { sha256 } from '../host/hash.js'
import type { Opened } from '../latch/open.js'
import { unitOf } from '../latch/snapshots.js'
import { inStage } from '../latch/staging.js'
import { listInside } from '../store/inside.js'
import { lookUp } from '../store/lookup.js'
import { FILES, type Layout } from '../store/layout.js'
import type { Manifest } from '../store/manifest.js'
import { placeEntry, sealEntry } from '../store/publish.js'
import { quarantine } from '../store/quarantine.js'
import { stageEntry } from '../store/stage.js'
import { type Namespace, inNamespace } from './namespace.js'
import { SLOT_TOKEN, copyFile, copyRewritten } from './rewrite.js'
import { type UnitFile, type UnitRules, fingerprintOf } from './units.js'
import { linkInside, makeParents } from './unit-files.js'

export interface PublishedUnit {
  /** Its path below a slot. */
  unit: string
  generation: number
  /** The entry's directory. */
  path: string
  /** Tells two generations with the same files from two that differ: of 10 000 files, no list is kept in memory. */
  content: string
  /** When it was last seeded or published, in milliseconds since 1970. */
  usedAt: number
}

export type Snapshot = Map<string, PublishedUnit>

/** Of a publisher that never pauses, this sees as many steps. */
const MAX_LOOKS = 20

/**
 * The newest generation of every unit. Damaged ones are left out, and are gc's and verify's.
 *
 * What a unit needs can be seen before the unit can (publisher.ts), and yet one look may find a unit alone:
 *   we: look where the .so will be     A: places its .so, then its graph     we: look where the graph is
 * so only a look that finds nothing new has found all that belongs together.
 * @param known by path, for those who read again and again: what is there never changes, and is read once
 */
export async function readSnapshot(
  opened: Opened,
  namespace: Namespace,
  known = new Map<string, PublishedUnit | null>(),
): Promise<Snapshot> {
  for (let looks = 1; ; looks++) {
    const before = known.size
    const snapshot = await lookAround(opened, namespace, known)
    if (known.size === before || looks === MAX_LOOKS) return snapshot
  }
}

async function lookAround(
  { disk, layout }: Opened,
  { name, key }: Namespace,
  known: Map<string, PublishedUnit | null>,
): Promise<Snapshot> {
  const snapshot: Snapshot = new Map()
  const home = layout.snapshot(name)
  for (const shelf of await listInside(disk, home.entries))
    for (const { name: id } of await listInside(disk, `${home.entries}/${shelf.name}`)) {
      const path = home.entry(id)
      const found = known.get(path) ?? (await readUnit(disk, path, key))
      known.set(path, found)
      if (found && found.generation > (snapshot.get(found.unit)?.generation ?? 0))
        snapshot.set(found.unit, found)
    }
  return snapshot
}

async function readUnit(
  disk: Opened['disk'],
  path: string,
  namespace: string,
): Promise<PublishedUnit | null> {
  const found = await lookUp(disk, path, null, 'manifest')
  if (found.state !== 'hit') return null
  await disk.close(found.fd)
  const { manifest, stats } = found
  const key = unitOf(manifest.key)
  if (key === null || key.snapshot !== namespace || !isWithin(key.unit, manifest)) return null
  const { unit, generation } = key
  return { unit, generation, path, content: contentOf(manifest), usedAt: stats.mtimeMs }
}

/** Whoever may write to the cache may plant a manifest: it leads nobody out of the unit, nor out of the slot. */
export function isWithin(unit: string, { files, links }: Manifest): boolean {
  const inUnit = (path: string): boolean => path === unit || path.startsWith(`${unit}/`)
  return (
    !leadsOut(unit) &&
    files.every(({ path }) => inUnit(path) && !leadsOut(path)) &&
    links.every(({ path, target }) => inUnit(path) && !leadsOut(path) && staysInside(path, target))
  )
}

function leadsOut(path: string): boolean {
  return path.split('/').some((part) => part === '' || part === '.' || part === '..')
}

function staysInside(path: string, target: string): boolean {
  return !target.startsWith('/') && !/^\.\.(?:\/|$)/.test(join(dirname(path), target))
}

/** What is not as its manifest says goes out of the way, so that whoever compiles it anew can publish it. */
export async function dropDamaged(
  { disk, layout, host }: Opened,
  { name }: Namespace,
  path: string,
  key: string,
): Promise<void> {
  const suspect = { id: basename(path), key, check: 'sizes' as const, token: host.processes.token() }
  await attempt(quarantine(disk, layout.snapshot(name), suspect))
}

export interface UnitDraft {
  namespace: Namespace
  slot: string
  unit: string
  files: readonly UnitFile[]
  /** What the slot was seeded with, if it was. */
  seeded: PublishedUnit | undefined
  rules: UnitRules
}

/** `changed`: the worker wrote while we read, or it is not to be placed now. `behind`: another worker was first. */
export type PublishOutcome =
  | { state: 'published'; published: PublishedUnit; bytes: number }
  | { state: 'same' }
  | { state: 'changed' }
  | { state: 'behind' }

export interface PublishSteps {
  /** Looks at the unit's files once more. */
  scan: () => Promise<readonly UnitFile[]>
  /** Asked last of all, just before the unit is placed. */
  isAllowed: () => Promise<boolean>
  /** Called when it is placed. */
  onPlaced: () => void
}

export async function publishUnit(
  opened: Opened,
  draft: UnitDraft,
  { scan, isAllowed, onPlaced }: PublishSteps,
): Promise<PublishOutcome> {
  const { disk, layout, host } = opened
  const { namespace, unit, files, seeded } = draft
  const home = layout.snapshot(namespace.name)
  const generation = (seeded?.generation ?? 0) + 1
  const key = canonicalKey({ snapshot: namespace.key, unit, generation })
  const id = sha256(key)
  if ((await orElse(disk.lstat(home.entry(id)), null, 'ENOENT')) !== null) return { state: 'behind' }
  return inStage(
    opened,
    (path) => stageEntry(disk, path),
    async (stage) => {
      const copied = await copyOut(disk, draft, `${stage.path}/${FILES}`)
      // Only a look after the last byte proves that what was copied belongs together.
      if (!copied || fingerprintOf(await scan()) !== fingerprintOf(files)) return { state: 'changed' }
      const createdAt = host.clock.wallTime()
      const entry = { stage, id, key, createdAt, buildMs: 0, check: 'sizes' as const }
      const manifest = await sealEntry(disk, entry)
      const content = contentOf(manifest)
      if (content === seeded?.content) return { state: 'same' }
      if (!(await isAllowed())) return { state: 'changed' }
      const tokens = (): string => host.processes.token()
      const place = (): Promise<boolean> => placeEntry(disk, home, entry, tokens, onPlaced)
      if (!(await inNamespace(opened, namespace, place))) return { state: 'behind' }
      if (seeded) await dropBefore(opened, home, namespace, unit, seeded.generation)
      const published = { unit, generation, path: home.entry(id), content, usedAt: createdAt }
      return { state: 'published', published, bytes: manifest.bytes }
    },
  )
}

/** `false`: a file is gone. */
async function copyOut(
  disk: Opened['disk'],
  { slot, files, rules }: UnitDraft,
  into: string,
): Promise<boolean> {
  const made = new Set<string>()
  try {
    for (const { path, kind, mtimeMs } of files) {
      const source = `${slot}/${path}`
      const target = `${into}/${path}`
      await makeParents(disk, into, path, made)
      if (kind === 'link') await disk.symlink(linkInside(slot, path, await disk.readlink(source)), target)
      else if (rules.isAbsolute(path))
        await copyRewritten(disk, source, target, { from: slot, to: SLOT_TOKEN })
      else await copyFile(disk, source, target, mtimeMs)
    }
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

function contentOf({ files, links }: Manifest): string {
  const facts = files.map(({ path, sha256: hash }) => `${path}\0${hash}`)
  return sha256(JSON.stringify([facts.sort(), links]))
}

/** The one before the last stays until now: somebody may be seeding from it. Whoever still is goes without the unit. */
async function dropBefore(
  { disk, host }: Opened,
  home: Layout,
  { key: snapshot }: Namespace,
  unit: string,
  generation: number,
): Promise<void> {
  const id = sha256(canonicalKey({ snapshot, unit, generation: generation - 1 }))
  const place = home.discarded(`${host.processes.token()}.doomed`)
  await attempt(disk.rename(home.entry(id), place))
}
