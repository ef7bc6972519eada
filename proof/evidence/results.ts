/** What was measured, as it lies in proof/results/: the pages are made of this and of nothing else. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Machine } from '../../bench/machine.js'
import type { GroundName } from '../file-systems/grounds.js'
import type { Result } from '../file-systems/promises.js'
import type { Seen } from '../table/scene.js'

/** From `.build/proof/evidence`. */
export const REPOSITORY = join(import.meta.dirname, '../../..')
const FILE = join(REPOSITORY, 'proof/results/evidence.json')

export interface OnFileSystem {
  machine: Machine
  locker: string
  /** Why this one. */
  reason: string
  results: Result[]
}

export interface UnderFaults {
  machine: Machine
  seen: Seen[]
}

export interface Evidence {
  schema: 1
  /** What this machine could not try, and why. */
  untried: Record<string, string>
  fileSystems: Partial<Record<GroundName, OnFileSystem>>
  faults: Partial<Record<GroundName, UnderFaults>>
}

export function readEvidence(): Evidence {
  if (!existsSync(FILE)) return { schema: 1, untried: {}, fileSystems: {}, faults: {} }
  return JSON.parse(readFileSync(FILE, 'utf8')) as Evidence
}

export function writeEvidence(evidence: Evidence): void {
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(FILE, `${JSON.stringify(evidence, null, 1)}\n`)
}
