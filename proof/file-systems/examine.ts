/** One file system, made, tried and unmounted. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openCache } from '../../src/index.js'
import { createMounts } from '../../test/support/mounting.js'
import { type Ground, type GroundName, RECIPES } from './grounds.js'
import { type Run, type Tested, runSuites } from './suites.js'

const ALL_SUITES = ['contract/', 'file-systems/promises', 'store/payloads']

/** Between two hosts flock excludes nobody: one test is enough to show it, and the others take minutes to fail. */
const WITHOUT_KERNEL_LOCKS = String.raw`^(?!kernel( by flock\(1\))?(,| (?!of four)))`

export interface Examined {
  locker: string
  /** Why this one, as doctor says it. */
  reason: string
  tests: Tested[]
}

export async function examine(
  name: GroundName,
  { suites = ALL_SUITES, only }: { suites?: string[]; only?: (locker: string) => string } = {},
): Promise<Examined> {
  const mounts = createMounts()
  try {
    const ground: Ground = RECIPES[name].make(mounts, false)
    const { kind, reason } = await chosenOn(ground)
    const run: Run = { ground, small: RECIPES[name].make(mounts, true), suites }
    const titles = only?.(kind) ?? (ground.other === undefined ? undefined : WITHOUT_KERNEL_LOCKS)
    const tests = await runSuites({ ...run, ...(titles !== undefined && { only: titles }) })
    return { locker: kind, reason, tests }
  } finally {
    mounts.unmountAll()
  }
}

async function chosenOn({ place }: Ground): Promise<{ kind: string; reason: string }> {
  const root = join(place, 'chosen')
  mkdirSync(root)
  const cache = await openCache(root, { strict: true })
  return cache.locker()
}
