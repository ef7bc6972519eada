/** One file system, made, tried and unmounted. */
import { createMounts } from '../../test/support/mounting.js'
import { openCache } from '../../src/index.js'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Ground, type GroundName, RECIPES } from './grounds.js'
import { type Run, type Tested, runSuites } from './suites.js'

export const ALL_SUITES = ['contract/', 'file-systems/promises', 'store/payloads']

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
    const ground = RECIPES[name].make(mounts, false)
    const { kind, reason } = await chosenOn(ground)
    const run: Run = { ground, small: RECIPES[name].make(mounts, true), suites }
    const tests = await runSuites({ ...run, ...(only && { only: only(kind) }) })
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
