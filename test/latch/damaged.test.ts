/** Entries that were damaged after they were published: compiled anew, exactly once, however many see it. */
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Check, openCache } from '../../src/index.js'
import { useEvents } from '../support/events.js'
import { useScratch } from '../support/scratch.js'
import { leftIn } from '../support/tree.js'

const scratch = useScratch()
const events = useEvents()

function flipLastBit(path: string): void {
  const bytes = readFileSync(path)
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(path, bytes)
}

test.each<[string, Check, (entry: string) => void]>([
  ['a file is cut short', 'sizes', (entry) => truncateSync(join(entry, 'files/kernel'), 10)],
  ['a file has become longer', 'sizes', (entry) => appendFileSync(join(entry, 'files/kernel'), '!')],
  ['a file is missing', 'sizes', (entry) => rmSync(join(entry, 'files/kernel'))],
  ['all files are missing', 'sizes', (entry) => rmSync(join(entry, 'files'), { recursive: true })],
  ['a bit of a file has changed', 'hashes', (entry) => flipLastBit(join(entry, 'files/kernel'))],
  ['the manifest is cut short', 'manifest', (entry) => truncateSync(join(entry, 'MANIFEST.json'), 99)],
  ['the manifest is empty', 'manifest', (entry) => truncateSync(join(entry, 'MANIFEST.json'), 0)],
  ['a bit of the manifest has changed', 'manifest', (entry) => flipLastBit(join(entry, 'MANIFEST.json'))],
  ['the manifest is missing', 'manifest', (entry) => rmSync(join(entry, 'MANIFEST.json'))],
])('%s (check: %s): of eight readers one compiles, and all get it whole', async (_name, check, damage) => {
  const root = scratch()
  let builds = 0
  const build = ({ dir }: { dir: string }): void =>
    writeFileSync(join(dir, 'kernel'), `kernel of build ${++builds}`)
  const first = await (await openCache(root)).getOrCompile('key', build)
  await first.release()
  damage(join(first.path, '..'))

  // Caches of their own, as in eight processes: no queue is shared, only the lock on the disk.
  const caches = await Promise.all(Array.from({ length: 8 }, () => openCache(root, { check, strict: true })))
  expect(await caches[0]!.get('key')).toBeNull()
  const entries = await Promise.all(caches.map((cache) => cache.getOrCompile('key', build)))
  expect(builds).toBe(2)
  for (const { path } of entries) expect(readFileSync(join(path, 'kernel'), 'utf8')).toBe('kernel of build 2')
  expect(entries.filter(({ outcome }) => outcome === 'compiled')).toHaveLength(1)
  expect(events('damaged')).toHaveLength(1)
  expect(events('damaged')[0]).toMatchObject({ key: '"key"', reason: expect.stringMatching(/\w/) })
  expect(leftIn(root)).toEqual([])
})

test('a manifest of another key at the place of this one is no hit', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  const entryOf = async (key: string): Promise<string> =>
    (await cache.getOrCompile(key, ({ dir }) => writeFileSync(join(dir, 'f'), key))).path
  const [a, b] = [await entryOf('a'), await entryOf('b')]
  writeFileSync(join(b, '../MANIFEST.json'), readFileSync(join(a, '../MANIFEST.json')))
  expect(readFileSync(join(await entryOf('b'), 'f'), 'utf8')).toBe('b')
  expect(events('damaged')).toMatchObject([{ reason: 'the manifest is that of another key' }])
})
