/** Making room, in one process: every locker that can tell what is in use. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Cache, openCache } from '../../src/index.js'
import { realHost } from '../../src/host/host.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { entryPath, leftoversIn } from '../support/caches.js'
import { nobodyWaits } from '../support/nobody-waits.js'
import { useScratch } from '../support/scratch.js'
import { age, keysIn, put, reports } from '../support/shelf.js'

const scratch = useScratch()
const HOUR = 60 * 60 * 1000

type Kind = 'kernel' | 'kernel by flock(1)' | 'lockfile' | 'memory'

function open(kind: Kind, root: string): Promise<Cache> {
  const host = kind === 'kernel by flock(1)' ? { ...realHost(), native: null } : realHost()
  return openCacheOn(host, root, { locker: kind === 'kernel by flock(1)' ? 'kernel' : kind, strict: true })
}

describe.each<Kind>(['kernel', 'kernel by flock(1)', 'lockfile', 'memory'])('%s', (kind) => {
  test('what was used least recently goes until the rest fits', async () => {
    const cache = await open(kind, scratch())
    for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) await put(cache, key, 100, (4 - index) * HOUR)
    const report = await cache.gc({ maxBytes: 250 })
    expect(report).toMatchObject({ freedBytes: 200, inUse: 0, entries: 2, bytes: 200, dryRun: false })
    expect(report.removed.map(({ key, why }) => [key, why])).toEqual([
      ['"a"', 'size'],
      ['"b"', 'size'],
    ])
    expect(await keysIn(cache)).toEqual(['c', 'd'])
    expect(leftoversIn(cache.root)).toEqual([])
  })

  test('what is in use stays, and the next in line goes instead', async () => {
    const cache = await open(kind, scratch())
    for (const [index, key] of ['a', 'b', 'c'].entries()) await put(cache, key, 100, (4 - index) * HOUR)
    const used = (await cache.get('a'))!
    age(cache, 'a', 9 * HOUR)
    expect(await cache.gc({ maxBytes: 200 })).toMatchObject({ freedBytes: 100, inUse: 1, bytes: 200 })
    expect(await keysIn(cache)).toEqual(['a', 'c'])
    expect(readFileSync(join(used.path, 'f'), 'utf8')).toHaveLength(100)
    expect(await cache.remove('a')).toBe('in-use')
    await used.release()
    expect(await cache.gc({ maxBytes: 100 })).toMatchObject({ removed: [{ key: '"a"' }], inUse: 0 })
    expect(leftoversIn(cache.root)).toEqual([])
  })

  test('what was in use by another opening of the cache stays, until the last of two users is done', async () => {
    const root = scratch()
    const [cache, other] = [await open(kind, root), await open(kind, root)]
    await put(cache, 'a', 10)
    const users = [(await other.get('a'))!, (await other.get('a'))!]
    for (const user of users) {
      expect(await cache.remove('a')).toBe('in-use')
      await user.release()
    }
    expect(await cache.remove('a')).toBe('removed')
    expect(await cache.remove('a')).toBe('missing')
    expect(await cache.get('a')).toBeNull()
  })
})

test('what was not used for too long goes, what is young stays however small the cache is to be', async () => {
  const cache = await open('kernel', scratch())
  await put(cache, 'old', 10, 25 * HOUR)
  await put(cache, 'recent', 10, 23 * HOUR)
  await put(cache, 'new', 10)
  expect(await cache.gc({ maxAgeMs: 24 * HOUR })).toMatchObject({ removed: [{ key: '"old"', why: 'age' }] })
  expect(await cache.gc({ maxBytes: 0 })).toMatchObject({ removed: [{ key: '"recent"' }] })
  expect(await keysIn(cache)).toEqual(['new'])
  expect(await cache.gc({ maxBytes: 0, graceMs: 0 })).toMatchObject({ entries: 0, bytes: 0 })
})

test('a dry run says what would go, and nothing goes', async () => {
  const cache = await open('kernel', scratch())
  await put(cache, 'a', 100, 2 * HOUR)
  await put(cache, 'b', 100, HOUR)
  writeFileSync(join(cache.root, 'v1/trash/rest'), '')
  const dry = await cache.gc({ maxBytes: 100, dryRun: true })
  expect(dry).toMatchObject({ dryRun: true, freedBytes: 100, entries: 1, leftovers: 0 })
  expect(await keysIn(cache)).toEqual(['a', 'b'])
  expect(await cache.gc({ maxBytes: 100 })).toEqual({ ...dry, dryRun: false, leftovers: 1 })
})

test('without limits only leftovers go', async () => {
  const cache = await open('kernel', scratch())
  await put(cache, 'a', 100, 1000 * HOUR)
  expect(await cache.gc({ graceMs: 0 })).toMatchObject({ removed: [], entries: 1, bytes: 100 })
})

test('clear removes all that nobody uses, however young, also when its time of use lies ahead', async () => {
  const cache = await open('kernel', scratch())
  await put(cache, 'a', 0)
  await put(cache, 'ahead', 10, -HOUR)
  await put(cache, 'used', 10)
  await using used = (await cache.get('used'))!
  expect(await cache.clear({ dryRun: true })).toMatchObject({ entries: 0, dryRun: true })
  expect(await cache.clear()).toMatchObject({ freedBytes: 10, inUse: 1, entries: 1 })
  expect(await keysIn(cache)).toEqual(['used'])
  expect(existsSync(used.path)).toBe(true)
})

test('an entry that is used between the scan and its turn stays', async () => {
  const root = scratch()
  const plain = await open('kernel', root)
  await put(plain, 'a', 10, 5 * HOUR)
  await put(plain, 'b', 10, 4 * HOUR)
  const real = realHost()
  const processes = { ...real.processes }
  // Made just before an entry is claimed: somebody uses `b` when `a` is being removed.
  processes.token = () => {
    age(plain, 'b', 0)
    return real.processes.token()
  }
  const cache = await openCacheOn({ ...real, processes }, root, { strict: true })
  expect(await cache.gc({ maxAgeMs: HOUR })).toMatchObject({ removed: [{ key: '"a"' }], inUse: 1 })
  expect(await keysIn(plain)).toEqual(['b'])
})

test('an entry that another has compiled anew is not removed in place of the one that was claimed', async () => {
  const root = scratch()
  const plain = await open('kernel', root)
  const path = await put(plain, 'a', 10, 5 * HOUR)
  const spare = await put(plain, 'spare', 10)
  // Used at the same time, to the last digit: nothing but its identity tells it from the other.
  for (const entry of [path, spare]) utimesSync(join(entry, 'MANIFEST.json'), 1e9, 1e9)
  const real = realHost()
  let swapped = false
  const native = { ...real.native! }
  // Once gc has claimed it, it is set aside and another stands at its place.
  native.flock = (fd, mode) => {
    const taken = real.native!.flock(fd, mode)
    if (!swapped) {
      renameSync(path, join(root, 'v1/trash/elsewhere'))
      renameSync(spare, path)
    }
    swapped = true
    return taken
  }
  const cache = await openCacheOn({ ...real, native }, root, { strict: true })
  expect(await cache.remove('a')).toBe('in-use')
  expect(swapped).toBe(true)
  expect(readFileSync(join(path, 'files/f'), 'utf8')).toHaveLength(10)
})

test('a locker that cannot tell what is in use removes no entry, and says so', async () => {
  const cache = await openCache(scratch(), { locker: nobodyWaits, strict: true })
  await put(cache, 'a', 10, HOUR)
  await expect(cache.gc({ maxBytes: 0 })).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE' })
  await expect(cache.remove('a')).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE' })
  expect(await cache.gc()).toMatchObject({ removed: [], entries: 1 })
})

test('the trash of the dead is removed, also when it is half deleted; what another looks at just now is left', async () => {
  const cache = await open('kernel', scratch())
  await put(cache, 'a', 10)
  const trash = join(cache.root, 'v1/trash')
  const undecided = join(trash, 'a'.repeat(32))
  mkdirSync(join(trash, `${'b'.repeat(32)}.doomed/files`), { recursive: true })
  renameSync(entryPath(cache.root, 'a'), undecided)
  expect(await cache.gc()).toMatchObject({ leftovers: 1 })
  expect(readdirSync(join(undecided, 'files'))).toEqual(['f'])
  expect(await cache.gc({ graceMs: 0 })).toMatchObject({ leftovers: 1 })
  expect(readdirSync(trash)).toEqual([])
})

test('a list says of each entry what its manifest says, or what is wrong with it', async () => {
  const cache = await open('kernel', scratch())
  await put(cache, 'a', 7, HOUR)
  const broken = await put(cache, 'b', 5)
  const bare = await put(cache, 'c', 5)
  writeFileSync(join(broken, 'MANIFEST.json'), '{}')
  rmSync(join(bare, 'MANIFEST.json'))
  mkdirSync(entryPath(cache.root, 'empty'), { recursive: true })
  writeFileSync(join(cache.root, 'v1/entries/note'), '')
  const [a, ...damaged] = await reports(cache)
  expect(a).toMatchObject({ key: '"a"', bytes: 7, files: 1, state: 'whole', reason: null })
  expect(Date.now() - a!.usedAt).toBeGreaterThanOrEqual(HOUR)
  expect(damaged.map(({ key, bytes, files, state }) => ({ key, bytes, files, state }))).toEqual(
    damaged.map(() => ({ key: null, bytes: 5, files: 1, state: 'damaged' })),
  )
  expect(damaged.map(({ reason }) => `${reason}`).sort()).toEqual([
    'it has no manifest',
    'the manifest has an unknown form',
  ])
  expect(await cache.clear()).toMatchObject({ entries: 0, freedBytes: 17 })
  expect(readdirSync(join(cache.root, 'v1/entries'), { recursive: true })).toContain('note')
})

test('with `existing` nothing is created', async () => {
  const root = scratch()
  const nowhere = join(root, 'nowhere')
  for (const path of [nowhere, root])
    await expect(openCache(path, { existing: true, strict: true })).rejects.toMatchObject({
      code: 'NO_CACHE',
    })
  expect(readdirSync(root)).toEqual([])
  await put(await openCache(root), 'a', 1)
  expect(await keysIn(await openCache(root, { existing: true, strict: true }))).toEqual(['a'])
})
