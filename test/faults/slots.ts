/** Workers in slots: seeded, watched, published, given back. A worker is told of no error: it runs, warm or cold. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkerEvent } from '../../src/index.js'
import { prepareTestWorker, runTestWorker, type TestWorker } from '../support/slot-workers.js'
import { aside } from '../support/node-fs.js'
import type { Operation } from './operation.js'

const BEFORE = { 'groups/a/one': 'one', 'groups/a/two': 'two', 'singles/s': 's' }
const ADDED = { 'groups/a/three': 'three', 'groups/b/one': 'one of b' }

type Files = Readonly<Record<string, string>>

const options = { locker: 'kernel' } as const

/** Also names the slot itself, as the files of a group do that would lead another worker astray. */
function write(worker: TestWorker, files: Files): void {
  aside(() => {
    for (const [path, content] of Object.entries(files)) worker.write(path, content)
    worker.write(
      'groups/a/index.json',
      JSON.stringify(Object.keys(files).map((path) => join(worker.path, path))),
    )
  })
}

/** What the worker finds: every unit as somebody has left it, or not at all. */
function assertWhole(worker: TestWorker, kinds: readonly Files[]): void {
  const there = worker.files()
  for (const unit of ['groups/a', 'groups/b', 'singles/s']) {
    const found = there.filter((path) => path.startsWith(unit) && !path.endsWith('index.json'))
    if (found.length === 0) continue
    const whole = kinds.map((files) =>
      Object.keys(files)
        .filter((path) => path.startsWith(unit))
        .sort()
        .join(),
    )
    assert.ok(whole.includes(found.join()), `half of a unit is in the slot: ${found.join()}`)
  }
  const all = Object.assign({}, ...kinds) as Files
  for (const path of there) {
    if (path.endsWith('index.json'))
      assert.ok(worker.read(path).includes(worker.path), 'another slot is named')
    else assert.equal(worker.read(path), all[path])
  }
}

const publishedBy = (events: readonly WorkerEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'worker-published' ? [event.unit] : []))

interface Life {
  name: string
  /** What of the cache there is before. */
  before?: (cache: string) => Promise<unknown>
  /** Units that must be in the snapshot afterwards. */
  keeps: readonly string[]
  goesWell: readonly string[]
  orElse: string
  /** Made before the disk fails. */
  prepare?: (cache: string) => Promise<TestWorker>
  act: (cache: string, worker: TestWorker | undefined) => Promise<{ outcome: string; events: WorkerEvent[] }>
}

const BOTH = { ...BEFORE, ...ADDED }

function life({ name, before, keeps, goesWell, orElse, prepare, act }: Life): Operation {
  return {
    name,
    goesWell,
    orElse,
    before: async (root) => before?.(join(root, 'cache')),
    async arrange(root) {
      const cache = join(root, 'cache')
      const worker = await prepare?.(cache)
      let published: string[] = []
      return {
        async act() {
          const { outcome, events } = await act(cache, worker)
          published = publishedBy(events)
          return outcome
        },
        async check() {
          const next = await prepareTestWorker(cache, options)
          assertWhole(next, [BEFORE, BOTH])
          for (const unit of [...keeps, ...published])
            assert.ok(existsSync(join(next.path, unit)), `${unit} is lost`)
          assert.equal(next.slot, 0, 'the slot is still leased')
          await next.ended(0)
        },
      }
    },
  }
}

const fill = (cache: string): Promise<unknown> =>
  runTestWorker(cache, (worker) => write(worker, BEFORE), options)

/** Not the slot itself: what was left there by a worker that ended well is not copied again. */
const fillElsewhere = async (cache: string): Promise<void> => {
  const other = await prepareTestWorker(cache, options)
  const worker = await prepareTestWorker(cache, options)
  write(worker, BEFORE)
  await worker.ended(0)
  await other.ended(1)
}

const prepared = (worker: TestWorker): string => (worker.slot === null ? 'private' : 'in a slot')

async function prepareAndEnd(cache: string): Promise<{ outcome: string; events: WorkerEvent[] }> {
  const worker = await prepareTestWorker(cache, options)
  aside(() => assertWhole(worker, [BEFORE]))
  await worker.ended(1)
  return { outcome: prepared(worker), events: worker.events }
}

async function endWell(
  _cache: string,
  worker: TestWorker | undefined,
): Promise<{ outcome: string; events: WorkerEvent[] }> {
  await worker!.ended(0)
  const degraded = worker!.saw('worker-degraded')
  return { outcome: degraded.length === 0 ? 'published' : 'not published', events: worker!.events }
}

const KEPT = Object.keys(BEFORE)

export const SLOTS: readonly Operation[] = [
  life({
    name: 'prepare the first worker',
    keeps: [],
    goesWell: ['in a slot'],
    orElse: 'private',
    act: prepareAndEnd,
  }),
  life({
    name: 'seed a slot',
    before: fillElsewhere,
    keeps: KEPT,
    goesWell: ['in a slot'],
    orElse: 'private',
    act: prepareAndEnd,
  }),
  life({
    name: 'take a slot that was left well',
    before: fill,
    keeps: KEPT,
    goesWell: ['in a slot'],
    orElse: 'private',
    act: prepareAndEnd,
  }),
  life({
    name: 'publish the first snapshot',
    prepare: async (cache) => {
      const worker = await prepareTestWorker(cache, options)
      write(worker, BEFORE)
      return worker
    },
    keeps: [],
    goesWell: ['published'],
    orElse: 'not published',
    act: endWell,
  }),
  life({
    name: 'publish what is new',
    before: fill,
    prepare: async (cache) => {
      const worker = await prepareTestWorker(cache, options)
      write(worker, ADDED)
      return worker
    },
    keeps: KEPT,
    goesWell: ['published'],
    orElse: 'not published',
    act: endWell,
  }),
]
