/**
 * The files of a slot, in units. A unit is published whole and seeded whole: half of one worker's and half of
 * another's is what nobody has compiled (triton#11319: one worker's binary with another's metadata).
 */
import type { Disk, Stats } from '../host/disk.js'
import { orElse } from '../host/disk-errors.js'
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
  /** The unit that the file at `path` belongs to; `null`: it is temporary. */
  unitOf(path: string): string | null
  isTemporary(name: string): boolean
  /** Whether the slot's path is to be replaced in it. */
  isAbsolute(path: string): boolean
}

export function rulesOf(presets: readonly Preset[]): UnitRules {
  const units = presets.flatMap((preset) => preset.units).map(toPattern)
  const temporary = presets.flatMap((preset) => preset.temporary).map(toNamePattern)
  const absolute = presets.flatMap((preset) => preset.absolute ?? []).map((pattern) => toPattern(pattern))
  const isTemporary = (name: string): boolean =>
    DELETED_WHILE_OPEN.test(name) || temporary.some((pattern) => pattern.test(name))
  return {
    isTemporary,
    unitOf(path) {
      if (path.split('/').some(isTemporary)) return null
      for (const pattern of units) {
        const match = pattern.exec(path)
        if (match) return match[1]!
      }
      return path
    },
    isAbsolute: (path) => absolute.some((pattern) => pattern.exec(path)?.[1] === path),
  }
}

/** Of a path, or of what lies above it. */
function toPattern(text: string): RegExp {
  return new RegExp(`^(${text.split('/').map(toSource).join('/')})(?:/|$)`)
}

function toNamePattern(text: string): RegExp {
  return new RegExp(`^${toSource(text)}$`)
}

function toSource(text: string): string {
  return text
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]*')
}

/** What is there now; files that come and go meanwhile may be in it or not. */
export async function scanUnits(disk: Disk, slot: string, rules: UnitRules): Promise<Units> {
  const units: Units = new Map()
  await scanLevel(disk, slot, '', rules, units)
  for (const files of units.values()) inOrder(files)
  return units
}

/** The files of one unit as they are now. */
export async function scanUnit(
  disk: Disk,
  slot: string,
  unit: string,
  rules: UnitRules,
): Promise<UnitFile[]> {
  const units: Units = new Map()
  const stats = await orElse(disk.lstat(`${slot}/${unit}`), null, 'ENOENT', 'ENOTDIR')
  if (stats?.isDirectory()) await scanLevel(disk, slot, `${unit}/`, rules, units)
  else if (stats) addFile(units, unit, unit, stats)
  return inOrder(units.get(unit) ?? [])
}

async function scanLevel(
  disk: Disk,
  slot: string,
  prefix: string,
  rules: UnitRules,
  units: Units,
): Promise<void> {
  for (const child of await orElse(disk.readdir(`${slot}/${prefix}`), [], 'ENOENT', 'ENOTDIR')) {
    if (rules.isTemporary(child.name)) continue
    const path = prefix + child.name
    if (child.isDirectory()) {
      await scanLevel(disk, slot, `${path}/`, rules, units)
      continue
    }
    const unit = rules.unitOf(path)
    if (unit === null) continue
    const stats = await orElse(disk.lstat(`${slot}/${path}`), null, 'ENOENT', 'ENOTDIR')
    if (stats) addFile(units, unit, path, stats)
  }
}

/** Sockets and the like are no part of a cache. */
function addFile(units: Units, unit: string, path: string, stats: Stats): void {
  if (!stats.isFile() && !stats.isSymbolicLink()) return
  const { size, mtimeMs } = stats
  const file: UnitFile = { path, kind: stats.isFile() ? 'file' : 'link', size, mtimeMs }
  const files = units.get(unit)
  if (files) files.push(file)
  else units.set(unit, [file])
}

function inOrder(files: UnitFile[]): UnitFile[] {
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Tells whether the files of a unit are as they were, as far as their size and times tell. */
export function fingerprintOf(files: readonly UnitFile[]): string {
  return files.map(({ path, size, mtimeMs }) => `${path}\0${size}\0${mtimeMs}`).join('\n')
}
