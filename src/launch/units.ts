/**
 * The files of a slot, in units. A unit is published whole and seeded whole: half of one worker's and half of
 * another's is what nobody has compiled (triton#11319: one worker's binary with another's metadata).
 */
import picomatch from 'picomatch'
import type { Disk, Stats } from '../host/disk.js'
import { orElse } from '../host/disk-errors.js'
import { sha256 } from '../host/hash.js'
import { DELETED_WHILE_OPEN } from '../store/tree.js'
import type { Preset } from './preset.js'

export interface UnitFile {
  /** Below the slot, with `/`. */
  path: string
  kind: 'file' | 'link'
  size: number
  mtimeMs: number
}

/** The path of a unit below the slot, and its files in the order of their paths. */
export type Units = Map<string, UnitFile[]>

export interface UnitRules {
  /** The unit that the file at `path` belongs to; `null`: it is left out. */
  unitOf(path: string): string | null
  /** Whether this, and what lies below it, is never published. */
  isLeftOut(path: string): boolean
  /** Whether the slot's path is to be replaced in it. */
  isAbsolute(path: string): boolean
}

export function rulesOf(presets: readonly Preset[]): UnitRules {
  const units = presets.flatMap((preset) => preset.units).map(toUnit)
  const leftOut = toMatch(presets.flatMap(({ temporary = [], bound = [] }) => [...temporary, ...bound]))
  const isAbsolute = toMatch(presets.flatMap((preset) => preset.absolute ?? []))
  const isLeftOut = (path: string): boolean =>
    DELETED_WHILE_OPEN.test(path.slice(path.lastIndexOf('/') + 1)) || leftOut(path)
  return {
    isAbsolute,
    isLeftOut,
    unitOf(path) {
      if (withAncestors(path).some(isLeftOut)) return null
      for (const unitOf of units) {
        const unit = unitOf(path)
        if (unit !== null) return unit
      }
      return path
    },
  }
}

/** `a/b/c` is in `a`, `a/b` and `a/b/c`. */
function withAncestors(path: string): string[] {
  const names = path.split('/')
  return names.map((_, index) => names.slice(0, index + 1).join('/'))
}

/** The first names of a path, as many as the pattern has, where they match. */
function toUnit(pattern: string): (path: string) => string | null {
  const depth = pattern.split('/').length
  const matches = toMatch([pattern])
  return (path) => {
    const head = path.split('/', depth).join('/')
    return matches(head) ? head : null
  }
}

/** What preset.ts promises, and no more: no braces, no lists, no negation; a dot is a character like any other. */
function toMatch(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false
  return picomatch(patterns.flatMap(withNone), { dot: true, nobrace: true, noextglob: true, nonegate: true })
}

/** Any number of names is none as well: `a/**` matches `a`, and with picomatch alone `*` + `/**` would not. */
function withNone(pattern: string): string[] {
  return pattern.endsWith('/**') ? [pattern, pattern.slice(0, -'/**'.length)] : [pattern]
}

/**
 * Calls `visit` for each unit that is there now; files that come and go meanwhile may be in it or not. One by one: the
 * list of 10 000 files would stay in a waiting wrapper's heap as 20 MB of room for the next.
 */
export async function visitUnits(
  disk: Disk,
  slot: string,
  rules: UnitRules,
  visit: (unit: string, files: UnitFile[]) => void,
): Promise<void> {
  await visitLevel({ disk, slot, rules, visit, begun: new Map() }, '')
}

/** The files of one unit as they are now. */
export async function scanUnit(
  disk: Disk,
  slot: string,
  unit: string,
  rules: UnitRules,
): Promise<UnitFile[]> {
  const stats = await orElse(disk.lstat(`${slot}/${unit}`), null, 'ENOENT', 'ENOTDIR')
  if (stats === null) return []
  if (!stats.isDirectory()) return toFiles(unit, stats)
  let found: UnitFile[] = []
  const visit = (name: string, files: UnitFile[]): void => void (name === unit && (found = files))
  await visitLevel({ disk, slot, rules, visit, begun: new Map() }, `${unit}/`)
  return found
}

interface Visit {
  disk: Disk
  slot: string
  rules: UnitRules
  visit: (unit: string, files: UnitFile[]) => void
  /** Units that are directories which have not been left yet. */
  begun: Units
}

async function visitLevel(walk: Visit, prefix: string): Promise<void> {
  const { disk, slot, rules, visit, begun } = walk
  for (const child of await orElse(disk.readdir(`${slot}/${prefix}`), [], 'ENOENT', 'ENOTDIR')) {
    const path = prefix + child.name
    if (rules.isLeftOut(path)) continue
    if (child.isDirectory()) {
      await visitLevel(walk, `${path}/`)
      continue
    }
    const unit = rules.unitOf(path)
    if (unit === null) continue
    const stats = await orElse(disk.lstat(`${slot}/${path}`), null, 'ENOENT', 'ENOTDIR')
    const files = stats ? toFiles(path, stats) : []
    const before = begun.get(unit)
    if (before) before.push(...files)
    else if (unit !== path) begun.set(unit, files)
    else if (files.length > 0) visit(unit, files)
  }
  const here = prefix.slice(0, -1)
  const files = begun.get(here)
  if (files === undefined) return
  begun.delete(here)
  if (files.length > 0) visit(here, inOrder(files))
}

/** Sockets and the like are no part of a cache. */
function toFiles(path: string, stats: Stats): UnitFile[] {
  if (!stats.isFile() && !stats.isSymbolicLink()) return []
  const { size, mtimeMs } = stats
  return [{ path, kind: stats.isFile() ? 'file' : 'link', size, mtimeMs }]
}

function inOrder(files: UnitFile[]): UnitFile[] {
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** In the order in which they came to be what they are: by the newest file of each. */
export function oldestFirst(units: Units): [unit: string, files: UnitFile[]][] {
  // Never `Math.max(...files)`: a call takes some 125 000 values.
  const newest = (files: UnitFile[]): number =>
    files.reduce((latest, f) => Math.max(latest, f.mtimeMs), -Infinity)
  const written = new Map([...units].map(([unit, files]) => [unit, newest(files)]))
  return [...units].sort(([a], [b]) => written.get(a)! - written.get(b)!)
}

/** Tells whether the files of a unit are as they were, as far as their size and times tell. */
export function fingerprintOf(files: readonly UnitFile[]): string {
  return sha256(files.map(({ path, size, mtimeMs }) => `${path}\0${size}\0${mtimeMs}`).join('\n'))
}

/** The same, as short as it can be kept. */
export function stateOf(files: readonly UnitFile[]): string {
  return sha256(fingerprintOf(files)).slice(0, 32)
}
