/** Compile once, by those who ask at the same moment. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCacheOn } from '../../src/latch/cache.js'
import { openCache } from '../../src/index.js'
import { useScratch } from '../support/scratch.js'
import { atCall } from '../support/stopping-disk.js'

const scratch = useScratch()

test('of two that ask at once, one builds: at every step of the one, the other comes', async () => {
  const outcomes = new Set<string>()
  for (let n = 1, reached = true; reached; n++) {
    const root = scratch()
    let builds = 0
    const build = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), String(++builds))
    const other = await openCache(root, { strict: true })
    let theirs: Promise<unknown> | undefined
    // Not waited for: it may have to wait for us.
    const ours = atCall(n, () => void (theirs = other.getOrCompile('key', build)))
    const cache = await openCacheOn(ours.host, root, { strict: true })
    const entry = await cache.getOrCompile('key', build)
    await theirs
    reached = ours.reached !== undefined
    expect(builds, `before ${ours.reached}, call ${n}`).toBe(1)
    outcomes.add(entry.outcome)
    await entry.release()
  }
  expect(outcomes).toContain('compiled')
})
