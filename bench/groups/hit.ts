/** A warm cache: the entry is there and is only looked up. */
import fs from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import cacache from 'cacache'
import { sha256 } from '../../src/host/hash.js'
import { openCache } from '../../src/index.js'
import { MANIFEST } from '../../src/store/layout.js'
import { decodeManifest } from '../../src/store/manifest.js'
import type { Context } from '../context.js'
import { type Contender, measure, micros, microsSync } from '../measure.js'
import { lockShared, lookUp } from '../raw.js'
import { type Group, type Table, atLeast, atMost, ratioOf, timesAsLong } from '../report.js'

const KEY = { model: 'llama-8b', dtype: 'bf16' }
const HIT = 'getOrCompile + release'
const CACACHE = 'cacache.get'
const CONTENT = 'x'.repeat(1024)

export async function hitGroup(context: Context): Promise<Group> {
  const [one, hundred] = [await hits(context, 1), await hits(context, 100)]
  return {
    name: 'hit',
    tables: [one, hundred],
    aims: [
      atMost(2, 'a hit with 1 file, to its raw calls', ratioOf(one, HIT), 1.3),
      atMost(2, 'a hit with 100 files, to its raw calls', ratioOf(hundred, HIT), 1.3),
      atLeast(2, 'cacache.get of 1 small file, to a hit', timesAsLong(one, CACACHE, HIT), 20),
    ],
  }
}

async function hits({ dir, quick, say }: Context, files: number): Promise<Table> {
  const names = Array.from({ length: files }, (_, index) => `kernel-${index}.bin`)
  const cache = await openCache(join(dir, `ours-${files}`), { strict: true })
  const hit = (): ReturnType<typeof cache.getOrCompile> =>
    cache.getOrCompile(KEY, ({ dir: stage }) => {
      for (const name of names) fs.writeFileSync(join(stage, name), CONTENT)
    })
  const { path } = await hit()
  const entry = dirname(path)
  const manifest = join(entry, MANIFEST)
  const store = join(dir, `cacache-${files}`)
  for (const name of names) await cacache.put(store, name, CONTENT)

  const times = Math.ceil((quick ? 300 : 1500) / Math.sqrt(files))
  const contenders: Contender[] = [
    {
      name: HIT,
      role: 'ours',
      sample: () => micros(times, async () => (await hit()).release()),
    },
    {
      name: 'open, fstat, read, parse, close, one lstat a file',
      role: 'floor',
      sample: () => microsSync(times, () => lookUp(entry)),
    },
    {
      name: 'the same, with key hash, checksum, pin and second look',
      role: 'other',
      sample: () => microsSync(times, () => rawSafeHit(entry)),
    },
    {
      name: files === 1 ? CACACHE : `${CACACHE} of ${files} keys, one after the other`,
      role: 'other',
      sample: () =>
        micros(Math.ceil(times / files / 5), async () => {
          for (const name of names) await cacache.get(store, name)
        }),
    },
    {
      name: 'fs/promises.readFile of the manifest',
      role: 'other',
      sample: () => micros(times, () => readFile(manifest, 'utf8')),
    },
  ]
  say(`${files} files`)
  return measure({
    title: `A hit, ${files} ${files === 1 ? 'file' : 'files'}`,
    unit: 'µs',
    rounds: quick ? 5 : 25,
    contenders,
  })
}

/** What the promise costs beyond the calls: the key's hash, the manifest's checksum, a shared lock, one more lstat. */
function rawSafeHit(entry: string): void {
  sha256(JSON.stringify(KEY))
  const fd = fs.openSync(`${entry}/${MANIFEST}`, 'r')
  const bytes = Buffer.allocUnsafe(fs.fstatSync(fd).size)
  fs.readSync(fd, bytes, 0, bytes.length, 0)
  const manifest = decodeManifest(bytes.toString('utf8'))
  if (typeof manifest === 'string') throw new TypeError(manifest)
  for (const file of manifest.files) fs.lstatSync(`${entry}/files/${file.path}`)
  lockShared(fd)
  fs.lstatSync(`${entry}/${MANIFEST}`)
  fs.closeSync(fd)
}
