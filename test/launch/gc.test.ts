/** Making room among the slots and snapshots of workers. */
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Disk } from '../../src/host/disk.js'
import { type Host, realHost } from '../../src/host/host.js'
import { type Cache, type GcProgress, openCache } from '../../src/index.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { Layout } from '../../src/store/layout.js'
import { leftoversIn } from '../support/caches.js'
import { missing } from '../support/needs.js'
import { nobodyWaits } from '../support/nobody-waits.js'
import { useScratch } from '../support/scratch.js'
import { put } from '../support/shelf.js'
import { atCall } from '../support/stopping-disk.js'
import { TESTED_NAMESPACE, prepareTestWorker } from '../support/slot-workers.js'
import { ageAll, leaveFiles, slotNames, unitNames, unitsIn } from '../support/slots-on-disk.js'

const scratch = useScratch()
const HOUR = 60 * 60 * 1000
const NAME = TESTED_NAMESPACE.name
const KB = 'x'.repeat(1024)

const open = (root: string): Promise<Cache> => openCache(root, { strict: true })

const started = new Set<ReturnType<typeof spawn>>()
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  started.clear()
})

/** The directory in `slots/` and that in `snapshots/`. */
function homesIn(root: string): string[] {
  const { slots, snapshots } = new Layout(root)
  return [`${slots}/${NAME}`, `${snapshots}/${NAME}`].filter((path) => existsSync(path))
}

test('what is unused for too long goes, a slot before its snapshot; the namespace goes with the last of it', async () => {
  const root = scratch()
  const cache = await open(root)
  await leaveFiles(root, { 'groups/a/kernel': KB })
  await put(cache, 'entry', 512, HOUR)
  ageAll(root, 25 * HOUR)
  expect(await cache.gc({ maxAgeMs: 26 * HOUR })).toMatchObject({
    removed: [],
    entries: 1,
    units: 1,
    slots: 1,
    bytes: 2 * 1024 + 512,
  })
  const report = await cache.gc({ maxAgeMs: 24 * HOUR })
  expect(report).toMatchObject({ freedBytes: 2 * 1024, entries: 1, units: 0, slots: 0, bytes: 512, inUse: 0 })
  expect(report.removed).toMatchObject([
    { kind: 'slot', id: '000', namespace: NAME, unit: null, key: null, bytes: 1024, why: 'age' },
    { kind: 'unit', namespace: NAME, unit: 'groups/a', key: null, bytes: 1024, why: 'age' },
  ])
  expect(homesIn(root)).toEqual([])
  expect(leftoversIn(root)).toEqual([])
})

test('of a snapshot and a slot that were used together, the slot makes room; the next worker is seeded anew', async () => {
  const root = scratch()
  const cache = await open(root)
  await put(cache, 'entry', 1024, 2 * HOUR)
  // The worker has run for five hours: nothing of its snapshot was touched meanwhile.
  const slot = await leaveFiles(root, { 'groups/a/kernel': KB })
  ageAll(root, 5 * HOUR)
  utimesSync(`${slot}.ended-well.json`, Date.now() / 1000 - 3600, Date.now() / 1000 - 3600)
  const report = await cache.gc({ maxBytes: 1024 })
  expect(report.removed.map(({ kind }) => kind)).toEqual(['entry', 'slot'])
  expect(report).toMatchObject({ units: 1, bytes: 1024 })
  expect([slotNames(root), unitNames(root)]).toEqual([[], ['groups/a:1']])

  const next = await prepareTestWorker(root)
  expect(next.path).toBe(slot)
  expect(readFileSync(join(slot, 'groups/a/kernel'), 'utf8')).toBe(KB)
  await next.ended(0)
})

test('a slot in use stays, and the snapshot of its worker counts as used; clear leaves the slot alone', async () => {
  const root = scratch()
  const cache = await open(root)
  await leaveFiles(root, { 'groups/a/kernel': KB })
  const worker = await prepareTestWorker(root)
  ageAll(root, 100 * HOUR)
  expect(await cache.gc({ maxAgeMs: HOUR, maxBytes: 0 })).toMatchObject({ removed: [], units: 1, slots: 1 })
  expect(await cache.gc({ maxBytes: 0, graceMs: 0, dryRun: true })).toMatchObject({ units: 0, slots: 0 })
  expect(await cache.clear()).toMatchObject({ removed: [{ kind: 'unit' }], slots: 1, inUse: 1, bytes: 1024 })
  expect(readFileSync(join(worker.path, 'groups/a/kernel'), 'utf8')).toBe(KB)

  // What it has, it has: the next worker gets it from the slot.
  await worker.ended(0)
  expect(slotNames(root)).toEqual(['000'])
  expect(await cache.clear()).toMatchObject({ removed: [{ kind: 'slot', bytes: 1024 }], inUse: 0, bytes: 0 })
  expect(homesIn(root)).toEqual([])
})

describe.skipIf(missing('linux'))('processes', () => {
  const stay = (env: object, inherit: number | 'ignore' = 'ignore'): Promise<ReturnType<typeof spawn>> => {
    const stdio = ['ignore', 'ignore', 'ignore', inherit] as const
    const child = spawn('sleep', ['600'], { env: { ...process.env, ...env }, stdio: [...stdio] })
    started.add(child)
    return new Promise((resolve) => child.once('spawn', () => resolve(child)))
  }
  const end = (child: ReturnType<typeof spawn>): Promise<unknown> => {
    child.kill('SIGKILL')
    return new Promise((resolve) => child.once('exit', resolve))
  }

  test('the slot of a worker that has outlived its wrapper is in use, by the lock that it has inherited', async () => {
    const root = scratch()
    const cache = await open(root)
    const worker = await prepareTestWorker(root)
    const child = await stay({}, worker.keepOpen!)
    await worker.ended(137)
    expect(await cache.clear()).toMatchObject({ removed: [], inUse: 1, slots: 1 })
    await end(child)
    expect(await cache.clear()).toMatchObject({ removed: [{ kind: 'slot' }], inUse: 0, slots: 0 })
  })

  test('so is that of a descendant which has nothing of it but its environment', async () => {
    const root = scratch()
    const cache = await open(root)
    const worker = await prepareTestWorker(root)
    const child = await stay(worker.env)
    await worker.ended(137)
    expect(await cache.clear()).toMatchObject({ removed: [], inUse: 1, slots: 1 })
    await end(child)
    expect(await cache.clear()).toMatchObject({ removed: [{ kind: 'slot' }], inUse: 0, slots: 0 })
  })
})

test('what a newer generation has superseded goes without any limit: the one before the last, after the grace time', async () => {
  const root = scratch()
  const cache = await open(root)
  await leaveFiles(root, { 'groups/a/1': '1', 'groups/b/1': '1' })
  const [first] = unitsIn(root)
  const kept = join(scratch(), basename(first!.path))
  cpSync(first!.path, kept, { recursive: true })
  await leaveFiles(root, { 'groups/a/2': '2' })
  await leaveFiles(root, { 'groups/a/3': '3' })
  // Whoever published the third was killed before it removed the first.
  mkdirSync(dirname(first!.path), { recursive: true })
  renameSync(kept, first!.path)
  expect(unitNames(root)).toEqual(['groups/a:1', 'groups/a:2', 'groups/a:3', 'groups/b:1'])

  expect((await cache.gc()).removed).toMatchObject([
    { kind: 'unit', unit: 'groups/a', why: 'superseded', bytes: 1 },
  ])
  expect(unitNames(root)).toEqual(['groups/a:2', 'groups/a:3', 'groups/b:1'])
  expect(await cache.gc({ graceMs: 0 })).toMatchObject({ removed: [{ bytes: 2 }], units: 2 })
  expect(unitNames(root)).toEqual(['groups/a:3', 'groups/b:1'])
})

test('a slot that was used between the scan and its turn stays', async () => {
  const root = scratch()
  const cache = await open(root)
  const slot = await leaveFiles(root, { 'groups/a/kernel': KB })
  ageAll(root, 5 * HOUR)
  const now = Date.now() / 1000
  const onProgress = ({ step }: GcProgress): void => {
    if (step === 'removing') utimesSync(`${slot}.ended-well.json`, now, now)
  }
  expect(await cache.gc({ maxAgeMs: HOUR, onProgress })).toMatchObject({
    removed: [{ kind: 'unit' }],
    inUse: 1,
    slots: 1,
  })
  expect(existsSync(join(slot, 'groups/a/kernel'))).toBe(true)
})

test('a worker that starts while gc removes the first slot takes the second, and waits for nothing', async () => {
  const root = scratch()
  const first = await leaveFiles(root, { 'groups/a/kernel': KB })
  ageAll(root, 5 * HOUR)
  const real = realHost()
  const taken: string[] = []
  const diskFor: Host['diskFor'] = (fileSystem) => {
    const disk = real.diskFor(fileSystem)
    const rename: Disk['rename'] = async (from, to) => {
      if (from === first) taken.push(await leaveFiles(root))
      await disk.rename(from, to)
    }
    return { ...disk, rename }
  }
  const cache = await openCacheOn({ ...real, diskFor }, root, { strict: true })
  // It was seeded from the snapshot, which stays for that reason.
  expect(await cache.gc({ maxAgeMs: HOUR })).toMatchObject({
    removed: [{ kind: 'slot', id: '000' }],
    inUse: 1,
    units: 1,
  })
  expect(taken).toEqual([first.replace(/000$/, '001')])
  expect(slotNames(root)).toEqual(['001'])
  expect(readFileSync(join(taken[0]!, 'groups/a/kernel'), 'utf8')).toBe(KB)
})

test('a worker that comes while gc removes its empty namespace makes it again, at any step', async () => {
  let last: string | undefined = ''
  let calls = 0
  for (let call = 1; last !== undefined; call++) {
    const root = scratch()
    await (await open(root)).locker()
    const { slots, snapshots } = new Layout(root)
    for (const home of [slots, snapshots]) mkdirSync(`${home}/${NAME}`, { recursive: true })
    const stopped = atCall(call, async () => void (await (await open(root)).clear()))
    const worker = await prepareTestWorker(root, {}, stopped.host)
    worker.write('groups/a/kernel', KB)
    worker.started()
    await worker.ended(0)
    last = stopped.reached
    const step = `before call ${call}, ${last}`
    expect(worker.slot, step).toBe(0)
    expect(
      worker.events.filter(({ type }) => type === 'worker-degraded'),
      step,
    ).toEqual([])
    expect(
      worker.events.map(({ type }) => type),
      step,
    ).toContain('worker-published')
    calls = call
  }
  expect(calls).toBeGreaterThan(30)
})

test('a mark whose slot somebody has removed goes as the slot would; drafts of marks go when they are old', async () => {
  const root = scratch()
  const cache = await open(root)
  const slot = await leaveFiles(root)
  renameSync(slot, join(scratch(), 'elsewhere'))
  const draft = `${slot}.ended-well.json.${'a'.repeat(32)}`
  writeFileSync(draft, '{')
  expect((await cache.status()).leftovers.drafts).toBe(0)
  utimesSync(draft, 0, 0)
  expect((await cache.status()).leftovers.drafts).toBe(1)
  expect(await cache.gc()).toMatchObject({ leftovers: 1, slots: 1 })
  expect(readdirSync(dirname(slot))).toEqual(['000.ended-well.json'])
  expect(await cache.clear()).toMatchObject({ removed: [{ kind: 'slot', id: '000', bytes: 0 }], slots: 0 })
  expect(homesIn(root)).toEqual([])
})

test('what is no slot and no unit is left alone', async () => {
  const root = scratch()
  const cache = await open(root)
  const slot = await leaveFiles(root, { 'groups/a/kernel': KB })
  const strangers = [
    join(slot, '../notes'),
    join(slot, '../mine/file'),
    join(unitsIn(root)[0]!.path, '../note'),
  ]
  for (const path of strangers) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '')
  }
  expect(await cache.clear()).toMatchObject({ freedBytes: 2048, bytes: 0 })
  expect(strangers.filter((path) => !existsSync(path))).toEqual([])
})

test('a locker that cannot tell what is in use removes no slot, and says so', async () => {
  const root = scratch()
  const cache = await openCache(root, { locker: nobodyWaits, strict: true })
  await leaveFiles(root, {}, { locker: nobodyWaits })
  await expect(cache.clear()).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE' })
  expect(slotNames(root)).toEqual(['000'])
})

test('on a network file system, a slot is removed on its own host only', async () => {
  const root = scratch()
  process.env['CACHELATCH_GATE_DIR'] = scratch('gates')
  const cache = await openCache(root, { locker: 'lockfile', staleMs: 2_000, strict: true })
  const slot = await leaveFiles(root, { 'groups/a/kernel': KB }, { locker: 'lockfile' })
  // Of a host whose name is as long.
  const name = `${basename(slot).startsWith('x') ? 'y' : 'x'}${basename(slot).slice(1)}`
  const theirs = join(dirname(slot), name)
  cpSync(slot, theirs, { recursive: true })
  expect(await cache.clear()).toMatchObject({
    removed: [{ kind: 'slot', id: basename(slot) }, { kind: 'unit' }],
  })
  expect(readdirSync(dirname(slot))).toEqual([name])
})
