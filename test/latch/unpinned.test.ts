/** Hits without a pin: found as others are, and kept from gc by the use that was noted. */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Cache, openCache } from '../../src/index.js'
import { realHost } from '../../src/host/host.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { findUnpinned } from '../../src/latch/unpinned.js'
import { useScratch } from '../support/scratch.js'
import { age, put } from '../support/shelf.js'
import { atCall } from '../support/stopping-disk.js'

const scratch = useScratch()
const MINUTE = 60 * 1000
const HOUR = 60 * MINUTE
const LOCKERS = ['kernel', 'lockfile'] as const

test('what getOrCompile has published is found, under the same path', async () => {
  const cache = await openCache(scratch(), { strict: true })
  const entry = await cache.getOrCompile({ model: 'a' }, ({ dir }) => writeFileSync(join(dir, 'f'), 'x'))
  expect(await findUnpinned(cache.root, { model: 'a' })).toEqual({ path: entry.path, outcome: 'hit' })
})

test('nothing is found, and nothing is made, where there is no cache, no entry, or a damaged one', async () => {
  const root = scratch()
  expect(await findUnpinned(root, 'a')).toBeNull()
  expect(await findUnpinned(join(root, 'nowhere'), 'a')).toBeNull()
  expect(readdirSync(root)).toEqual([])
  const path = await put(await openCache(root), 'a', 10)
  expect(await findUnpinned(root, 'b')).toBeNull()
  writeFileSync(join(path, 'files/f'), 'short')
  expect(await findUnpinned(root, 'a')).toBeNull()
  expect(await findUnpinned(root, 'a', 'manifest')).toMatchObject({ path: join(path, 'files') })
})

test('a use is noted when the last one is so old that gc could know of no later one', async () => {
  const cache = await openCache(scratch(), { strict: true })
  const manifest = join(await put(cache, 'a', 10), 'MANIFEST.json')
  for (const [unusedForMs, noted] of [
    [10_000, false],
    [31_000, true],
    [HOUR, true],
  ] as const) {
    age(cache, 'a', unusedForMs)
    const before = statSync(manifest).mtimeMs
    expect(await findUnpinned(cache.root, 'a')).not.toBeNull()
    expect(statSync(manifest).mtimeMs > before).toBe(noted)
  }
})

async function cacheWithOldEntry(locker: (typeof LOCKERS)[number]): Promise<Cache> {
  const cache = await openCache(scratch(), { locker, strict: true })
  await put(cache, 'a', 10, 2 * HOUR)
  return cache
}

describe.each(LOCKERS)('%s', (locker) => {
  test('found before any of the calls that gc makes: it stays, or it was not found', async () => {
    const outcomes = new Set<string>()
    for (let n = 1, reached = true; reached; n++) {
      const cache = await cacheWithOldEntry(locker)
      let path: string | undefined
      const gcs = atCall(n, async () => void (path = (await findUnpinned(cache.root, 'a'))?.path))
      const collector = await openCacheOn(gcs.host, cache.root, { strict: true })
      const { removed, inUse } = await collector.gc({ maxAgeMs: HOUR })
      reached = gcs.reached !== undefined
      const stays = removed.length === 0
      if (reached) expect(stays, `before ${gcs.reached}, call ${n}`).toBe(path !== undefined)
      if (path !== undefined) expect(existsSync(join(path, 'f'))).toBe(true)
      outcomes.add(`found: ${path !== undefined}, in use: ${inUse}`)
    }
    // Before the scan, between the scan and the move, and after it.
    expect([...outcomes].sort()).toEqual([
      'found: false, in use: 0',
      'found: true, in use: 0',
      'found: true, in use: 1',
    ])
  })

  test('removed before any of the calls that finding makes: it was not found, or it stays', async () => {
    const outcomes = new Set<boolean>()
    for (let n = 1, reached = true; reached; n++) {
      const cache = await cacheWithOldEntry(locker)
      const ours = atCall(n, async () => void (await cache.gc({ maxAgeMs: HOUR })))
      const disk = ours.host.diskFor(realHost().inspect(cache.root))
      const path = (await findUnpinned(cache.root, 'a', 'sizes', disk))?.path
      reached = ours.reached !== undefined
      if (path !== undefined)
        expect(existsSync(join(path, 'f')), `before ${ours.reached}, call ${n}`).toBe(true)
      if (reached) outcomes.add(path !== undefined)
    }
    expect(outcomes).toEqual(new Set([true, false]))
  })
})
