/** Every damage is found, and nothing else is. */
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Cache, openCache } from '../../src/index.js'
import { entryPath, leftoversIn } from '../support/caches.js'
import type { Disk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { useScratch } from '../support/scratch.js'
import { keysIn } from '../support/shelf.js'

const scratch = useScratch()

function build({ dir }: { dir: string }): void {
  mkdirSync(join(dir, 'deep/er'), { recursive: true })
  writeFileSync(join(dir, 'kernel'), 'k'.repeat(100_000))
  writeFileSync(join(dir, 'deep/er/run.sh'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(dir, 'empty'), '')
  mkdirSync(join(dir, 'nothing'))
  symlinkSync('deep/er/run.sh', join(dir, 'run'))
}

async function compile(cache: Cache, key: string): Promise<string> {
  await (await cache.getOrCompile(key, build)).release()
  return entryPath(cache.root, key)
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at]! ^= 1
  writeFileSync(path, bytes)
}

const DAMAGES: [string, string, string, (entry: string) => void][] = [
  ['a bit flipped', 'content', 'files/kernel', (entry) => flip(join(entry, 'files/kernel'), 50_000)],
  ['truncated', 'size', 'files/kernel', (entry) => truncateSync(join(entry, 'files/kernel'), 99_999)],
  ['longer', 'size', 'files/empty', (entry) => appendFileSync(join(entry, 'files/empty'), '!')],
  ['missing', 'missing', 'files/empty', (entry) => unlinkSync(join(entry, 'files/empty'))],
  [
    'a missing directory',
    'missing',
    'files/nothing',
    (entry) => rmSync(join(entry, 'files/nothing'), { recursive: true }),
  ],
  ['a missing link', 'missing', 'files/run', (entry) => unlinkSync(join(entry, 'files/run'))],
  ['an extra file', 'extra', 'files/deep/new', (entry) => writeFileSync(join(entry, 'files/deep/new'), '')],
  ['an extra directory', 'extra', 'files/deep/new', (entry) => mkdirSync(join(entry, 'files/deep/new'))],
  ['extra beside the manifest', 'extra', 'note', (entry) => writeFileSync(join(entry, 'note'), '')],
  [
    'a mode',
    'mode',
    'files/deep/er/run.sh',
    (entry) => chmodSync(join(entry, 'files/deep/er/run.sh'), 0o644),
  ],
  ['a directory’s mode', 'mode', 'files/nothing', (entry) => chmodSync(join(entry, 'files/nothing'), 0o700)],
  ['a link elsewhere', 'link', 'files/run', (entry) => relink(join(entry, 'files/run'), 'kernel')],
  [
    'a link in place of a file',
    'type',
    'files/empty',
    (entry) => relink(join(entry, 'files/empty'), 'kernel'),
  ],
  ['a damaged manifest', 'manifest', '.', (entry) => flip(join(entry, 'MANIFEST.json'), 200)],
  ['an empty manifest', 'manifest', '.', (entry) => truncateSync(join(entry, 'MANIFEST.json'), 0)],
  ['a missing manifest', 'manifest', '.', (entry) => unlinkSync(join(entry, 'MANIFEST.json'))],
  ['a link as manifest', 'manifest', '.', (entry) => relink(join(entry, 'MANIFEST.json'), '/dev/null')],
]

function relink(path: string, target: string): void {
  unlinkSync(path)
  symlinkSync(target, path)
}

test('on a healthy cache nothing is found, nothing set aside, and nothing counts as a use', async () => {
  const cache = await openCache(scratch(), { strict: true })
  for (const key of ['a', 'b', 'c']) await compile(cache, key)
  const report = await cache.verify({ quarantine: true })
  expect(report).toEqual({
    schema: 1,
    checked: 3,
    units: 0,
    bytes: 300_030,
    damaged: [],
    strangers: [],
    absent: [],
  })
  expect(await keysIn(cache)).toEqual(['a', 'b', 'c'])
  expect(leftoversIn(cache.root)).toEqual([])
})

test.each(DAMAGES)(
  '%s: found as it is, set aside on request, the healthy one beside it untouched',
  async (_name, kind, file, damage) => {
    const cache = await openCache(scratch(), { strict: true })
    const path = await compile(cache, 'bad')
    await compile(cache, 'good')
    damage(path)
    const report = await cache.verify()
    expect(report.damaged).toMatchObject([{ path, quarantined: false, problems: [{ kind, file }] }])
    expect(report.damaged[0]!.problems).toHaveLength(1)
    expect(await cache.verify({ keys: ['good'] })).toMatchObject({ checked: 1, damaged: [] })
    expect(await cache.verify({ keys: ['bad'] })).toMatchObject({ checked: 1, damaged: [{ path }] })

    expect(await cache.verify({ quarantine: true })).toMatchObject({
      damaged: [{ path, quarantined: true }],
    })
    expect(await keysIn(cache)).toEqual(['good'])
    expect(leftoversIn(cache.root)).toEqual([])
    expect(await cache.verify()).toMatchObject({ checked: 1, damaged: [] })
  },
)

test('all damages of one entry are told at once', async () => {
  const cache = await openCache(scratch(), { strict: true })
  const path = await compile(cache, 'bad')
  flip(join(path, 'files/kernel'), 7)
  chmodSync(join(path, 'files/kernel'), 0o600)
  unlinkSync(join(path, 'files/empty'))
  relink(join(path, 'files/run'), 'kernel')
  const [bad] = (await cache.verify()).damaged
  const kinds = bad!.problems.map(({ kind, file }) => `${kind} ${file}`)
  expect(kinds.sort()).toEqual([
    'content files/kernel',
    'link files/run',
    'missing files/empty',
    'mode files/kernel',
  ])
})

test('the manifest of another key at this key’s place is found', async () => {
  const cache = await openCache(scratch(), { strict: true })
  const [a, b] = [await compile(cache, 'a'), await compile(cache, 'b')]
  cpSync(join(a, 'MANIFEST.json'), join(b, 'MANIFEST.json'))
  expect((await cache.verify()).damaged).toMatchObject([{ path: b, problems: [{ kind: 'manifest' }] }])
})

test('after quarantine, eight that ask at once compile once, and get it whole', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  const path = await compile(cache, 'key')
  flip(join(path, 'files/kernel'), 0)
  await cache.verify({ quarantine: true })
  // Caches of their own, as in eight processes: no queue is shared, only the lock on the disk.
  const caches = await Promise.all(Array.from({ length: 8 }, () => openCache(root, { strict: true })))
  let builds = 0
  const entries = await Promise.all(
    caches.map((each) =>
      each.getOrCompile('key', (stage) => {
        builds++
        build(stage)
      }),
    ),
  )
  expect(builds).toBe(1)
  for (const entry of entries)
    expect(readFileSync(join(entry.path, 'kernel'), 'utf8')).toBe('k'.repeat(100_000))
  expect(await cache.verify()).toMatchObject({ checked: 1, damaged: [] })
})

test('verify that sets aside what another has compiled anew meanwhile puts it back', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  const path = await compile(cache, 'key')
  truncateSync(join(path, 'files/kernel'), 3)
  const real = realHost()
  let renewed = 0
  const late = (disk: Disk): Disk => ({
    ...disk,
    async rename(from, to) {
      if (from === path && renewed++ === 0) await compile(cache, 'key')
      return disk.rename(from, to)
    },
  })
  const host = { ...real, diskFor: () => late(real.diskFor(real.inspect(root))) }
  await (await openCacheOn(host, root, { strict: true })).verify({ quarantine: true })
  expect(renewed).toBe(1)
  expect(await cache.verify()).toMatchObject({ checked: 1, damaged: [] })
})

test('what is no entry is told and left alone; a key without an entry is told', async () => {
  const cache = await openCache(scratch(), { strict: true })
  const path = await compile(cache, 'a')
  const strangers = [join(cache.root, 'v1/entries/README'), join(path, '../note')]
  for (const stranger of strangers) writeFileSync(stranger, '')
  expect((await cache.verify({ quarantine: true })).strangers.sort()).toEqual(strangers.sort())
  expect(readdirSync(join(path, '..'))).toContain('note')
  expect(await cache.verify({ keys: ['a', { no: 'such' }] })).toMatchObject({
    checked: 1,
    damaged: [],
    absent: ['{"no":"such"}'],
  })
})
