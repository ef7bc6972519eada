/** What a file needs is older than the file: so units can be seen oldest first, however publishing and reading are cut. */
import { closeSync, mkdirSync, openSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { canonicalKey } from '../../src/core/key.js'
import { sha256 } from '../../src/host/hash.js'
import { type Host, realHost } from '../../src/host/host.js'
import { openRoot } from '../../src/latch/open.js'
import { namespaceOf } from '../../src/launch/namespace.js'
import type { Preset } from '../../src/launch/preset.js'
import { readSnapshot } from '../../src/launch/snapshots.js'
import { type PreparedWorker, prepareWorkerOn } from '../../src/launch/worker.js'
import { Layout } from '../../src/store/layout.js'
import { watchedHost } from '../support/hosts.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { atCall } from '../support/stopping-disk.js'

const scratch = useScratch()

const PRESET: Preset = {
  name: 'graphs',
  about: 'files that need older ones',
  variables: { GRAPHS_DIR: 'graphs' },
  units: ['graphs/*'],
  checked: 'never',
}
const NAMESPACE = namespaceOf([PRESET.name])
/** By name, the first comes last: nothing but their times can have put them in order. */
const OLDEST_FIRST = ['graphs/c', 'graphs/b', 'graphs/a']

const prepare = (host: Host, cache: string): Promise<PreparedWorker> =>
  prepareWorkerOn(host, { cache, presets: [PRESET], settleMs: 0, env: {} })

/** Units of a file each, written one after the other. */
function write(worker: PreparedWorker, units: readonly string[]): void {
  units.forEach((unit, second) => {
    const path = join(worker.path!, unit, 'f')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, unit)
    utimesSync(path, 1_700_000_000, 1_700_000_000 + second)
  })
}

async function unitsIn(cache: string, host = realHost()): Promise<string[]> {
  return [...(await readSnapshot(await openRoot(host, cache), NAMESPACE)).keys()]
}

test('wherever a disk fails, what is published is the older part', async () => {
  const pair = OLDEST_FIRST.slice(1)
  const parts = new Set<number>()
  for (let n = 1, failed = true; failed; n++) {
    const cache = join(scratch(), String(n))
    let calls = Number.NEGATIVE_INFINITY
    const worker = await prepare(
      callsCounted(() => ++calls === n && refuse()),
      cache,
    )
    write(worker, pair)
    calls = 0
    await worker.ended(0).catch(() => undefined)
    failed = calls >= n
    const units = await unitsIn(cache)
    expect(units.sort(), `call ${n} failed`).toEqual(pair.slice(0, units.length).sort())
    parts.add(units.length)
  }
  expect(parts).toEqual(new Set([0, 1, 2]))
})

test.skipIf(missing('linux'))('of what is newer than an open file, nothing is published', async () => {
  const cache = scratch()
  const worker = await prepare(realHost(), cache)
  write(worker, OLDEST_FIRST)
  const open = openSync(join(worker.path!, OLDEST_FIRST[1]!, 'f'), 'a')
  await worker.ended(0)
  closeSync(open)
  expect(await unitsIn(cache)).toEqual([OLDEST_FIRST[0]])
})

/** Both orders: in one of them, the older unit is in the shelf that is read first. */
test.each([
  ['graphs/1', 'graphs/2'],
  ['graphs/2', 'graphs/1'],
])(
  'whoever reads while %s and then %s are published sees none without what it needs',
  async (older, newer) => {
    const seen = new Set<string>()
    for (let n = 1, reached = true; reached; n++) {
      const cache = join(scratch(), String(n))
      const worker = await prepare(realHost(), cache)
      write(worker, [older, newer])
      for (const unit of [older, newer]) mkdirSync(shelfOf(cache, unit), { recursive: true })
      const reader = atCall(n, () => worker.ended(0))
      const opened = await openRoot(reader.host, cache)
      const units = [...(await readSnapshot(opened, NAMESPACE)).keys()]
      reached = reader.reached !== undefined
      if (!reached) await worker.ended(0)
      seen.add(units.sort().join(' and '))
    }
    expect([...seen].sort()).toEqual(['', 'graphs/1 and graphs/2'])
  },
)

function callsCounted(count: () => unknown): Host {
  return watchedHost(realHost(), count, () => undefined)
}

function refuse(): never {
  throw Object.assign(new Error('EIO: the disk fails'), { code: 'EIO' })
}

/** Where the first generation of a unit will be. */
function shelfOf(cache: string, unit: string): string {
  const id = sha256(canonicalKey({ snapshot: NAMESPACE.key, unit, generation: 1 }))
  return new Layout(cache).snapshot(NAMESPACE.name).shelf(id)
}
