/** What one worker leaves, the next one has: the round trip through a snapshot, on a real disk. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SLOT_TOKEN } from '../../src/launch/rewrite.js'
import { encodeManifest, decodeManifest, type Manifest } from '../../src/store/manifest.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'
import { atCall } from '../support/stopping-disk.js'
import {
  filesBelow,
  generationsIn,
  prepareTestWorker,
  runTestWorker,
  snapshotIn,
} from '../support/slot-workers.js'

const scratch = useScratch()
const BINARY = Buffer.from(Array.from({ length: 70_000 }, (_, n) => (n * 7) % 256))

test('the first worker of all has an empty slot, with the directories that its variables name', async () => {
  const worker = await prepareTestWorker(scratch())
  expect(worker.files()).toEqual([])
  expect(worker.env).toEqual({
    GROUPS_DIR: `${worker.path}/groups`,
    SINGLES_DIR: `${worker.path}/singles`,
    TESTED_MODE: 'shared',
    CACHELATCH_SLOT: worker.path,
  })
  expect(statSync(worker.env['GROUPS_DIR']!).isDirectory()).toBe(true)
  expect(statSync(worker.env['SINGLES_DIR']!).isDirectory()).toBe(true)
  await worker.ended(0)
})

test('contents, modes, times and links come through, with no inode shared', async () => {
  const cache = scratch()
  const first = await prepareTestWorker(cache)
  first.write('groups/g/kernel.bin', BINARY)
  first.write('groups/g/sub/run.sh', '#!/bin/sh\n')
  chmodSync(join(first.path, 'groups/g/sub/run.sh'), 0o750)
  utimesSync(join(first.path, 'groups/g/kernel.bin'), 1_600_000_000, 1_600_000_000.5)
  symlinkSync('sub/run.sh', join(first.path, 'groups/g/relative'))
  symlinkSync(join(first.path, 'groups/g/sub'), join(first.path, 'groups/g/absolute'))
  first.write('lone', '')
  linkSync(join(first.path, 'lone'), join(first.path, 'twin'))

  const second = await prepareTestWorker(cache)
  await first.ended(0)
  expect(second.files()).toEqual([])
  const third = await prepareTestWorker(cache, {})
  expect(third.path).toBe(first.path)
  const fourth = await prepareTestWorker(cache)
  expect([first.path, second.path]).not.toContain(fourth.path)

  expect(fourth.files()).toEqual([
    'groups/g/absolute',
    'groups/g/kernel.bin',
    'groups/g/relative',
    'groups/g/sub/run.sh',
    'lone',
    'twin',
  ])
  const at = (path: string): string => join(fourth.path, path)
  expect(readFileSync(at('groups/g/kernel.bin')).equals(BINARY)).toBe(true)
  expect(statSync(at('groups/g/kernel.bin')).mtimeMs).toBe(1_600_000_000_500)
  expect(statSync(at('groups/g/sub/run.sh')).mode & 0o7777).toBe(0o750)
  expect(readlinkSync(at('groups/g/relative'))).toBe('sub/run.sh')
  expect(readFileSync(at('groups/g/absolute/run.sh'), 'utf8')).toBe('#!/bin/sh\n')
  expect(readlinkSync(at('groups/g/absolute'))).not.toContain(first.path)
  for (const path of ['groups/g/kernel.bin', 'lone', 'twin']) {
    const inodes = [first.path, fourth.path].map((slot) => lstatSync(join(slot, path)).ino)
    expect(new Set(inodes).size).toBe(2)
    expect(lstatSync(at(path)).nlink).toBe(1)
  }
  for (const worker of [second, third, fourth]) await worker.ended(0)
})

test('paths of the slot are a token in the snapshot, and the reader’s own in every other slot', async () => {
  const cache = scratch()
  const first = await prepareTestWorker(cache)
  const index = (slot: string): string => JSON.stringify({ kernel: `${slot}/groups/g/k`, near: `${slot}0/k` })
  first.write('groups/g/index.json', index(first.path))
  first.write('groups/g/k', first.path)
  const second = await prepareTestWorker(cache)
  await first.ended(0)
  await second.ended(1)

  const { path } = (await snapshotIn(cache)).get('groups/g')!
  expect(readFileSync(join(path, 'files/groups/g/index.json'), 'utf8')).toContain(`${SLOT_TOKEN}/groups/g/k`)
  const [again, other] = [await prepareTestWorker(cache), await prepareTestWorker(cache)]
  expect([again.path, other.path]).toEqual([first.path, second.path])
  expect(again.read('groups/g/index.json')).toBe(index(first.path))
  expect(other.read('groups/g/index.json')).toBe(
    JSON.stringify({ kernel: `${second.path}/groups/g/k`, near: `${first.path}0/k` }),
  )
  // Not a file that the preset names: it is what it was.
  expect(other.read('groups/g/k')).toBe(first.path)
  await again.ended(0)
  await other.ended(0)
  // Seeding is no change: nothing is published anew.
  expect(await generationsIn(cache)).toEqual({ 'groups/g': 1 })
})

test('after a clean end the slot is used as it is; after any other it is made anew', async () => {
  const cache = scratch()
  await runTestWorker(cache, ({ write }) => write('groups/g/k', 'whole'))
  const clean = await runTestWorker(cache, ({ write }) => write('x.tmp', 'left'))
  expect(clean.saw('worker-seeded')).toMatchObject([{ units: 1, files: 0, bytes: 0 }])

  const reused = await runTestWorker(
    cache,
    ({ files, write }) => {
      expect(files()).toEqual(['groups/g/k', 'x.tmp'])
      write('groups/half/k', 'ha')
    },
    { exitCode: 137 },
  )
  expect(reused.saw('worker-seeded')).toMatchObject([{ units: 1, files: 0 }])
  expect(reused.saw('worker-published')).toEqual([])

  const anew = await prepareTestWorker(cache)
  expect(anew.path).toBe(clean.path)
  expect(anew.saw('worker-seeded')).toMatchObject([{ units: 1, files: 1, bytes: 5 }])
  expect(anew.files()).toEqual(['groups/g/k'])
  await anew.ended(0)
})

test('a slot without a mark, with an unreadable one, or with that of an earlier boot is made anew', async () => {
  const cache = scratch()
  const { path } = await runTestWorker(cache, ({ write }) => write('x.tmp', ''))
  const mark = `${path}.ended-well.json`
  for (const spoil of [
    () => rmSync(mark),
    () => truncateSync(mark, 10),
    () => writeFileSync(mark, 'null'),
    () => writeFileSync(mark, readFileSync(mark, 'utf8').replace(/"bootId":"[^"]+"/, '"bootId":"before"')),
  ]) {
    const worker = await runTestWorker(cache, ({ write }) => write('x.tmp', ''))
    expect(worker.path).toBe(path)
    spoil()
    const next = await prepareTestWorker(cache)
    expect(next.files()).toEqual([])
    await next.ended(0)
  }
})

test('a slot that somebody has deleted is seeded as a new one, whatever its mark says', async () => {
  const cache = scratch()
  const { path } = await runTestWorker(cache, ({ write }) => write('groups/g/k', 'whole'))
  rmSync(path, { recursive: true })
  const worker = await prepareTestWorker(cache)
  expect(worker.path).toBe(path)
  expect(worker.files()).toEqual(['groups/g/k'])
  await worker.ended(0)
})

test('a slot in which somebody has removed or changed files since its worker ended is mended', async () => {
  for (const meddle of [
    (unit: string) => rmSync(unit, { recursive: true }),
    (unit: string) => rmSync(join(unit, '1')),
    (unit: string) => truncateSync(join(unit, '1'), 2),
    (unit: string) => appendFileSync(join(unit, '2'), '!'),
    (unit: string) => writeFileSync(join(unit, '3'), ''),
  ]) {
    const cache = scratch()
    const { path } = await runTestWorker(cache, ({ write }) => {
      for (const unit of ['g', 'h'])
        for (const file of ['1', '2']) write(`groups/${unit}/${file}`, unit + file)
    })
    meddle(join(path, 'groups/g'))
    const worker = await prepareTestWorker(cache)
    expect(worker.path).toBe(path)
    expect(worker.files()).toEqual(['groups/g/1', 'groups/g/2', 'groups/h/1', 'groups/h/2'])
    expect(worker.read('groups/g/1') + worker.read('groups/g/2')).toBe('g1g2')
    expect(worker.saw('worker-seeded')).toMatchObject([{ units: 2, files: 2 }])
    await worker.ended(0)
  }
})

test('a slot that was left with an older generation of a unit gets the newest', async () => {
  const cache = scratch()
  await runTestWorker(cache, (worker) => worker.write('groups/g/1', 'one'))
  const [stays, grows] = [await prepareTestWorker(cache), await prepareTestWorker(cache)]
  grows.write('groups/g/2', 'two')
  await grows.ended(0)
  await stays.ended(0)
  const next = await prepareTestWorker(cache)
  expect(next.path).toBe(stays.path)
  expect(next.files()).toEqual(['groups/g/1', 'groups/g/2'])
  await next.ended(0)
})

test('sockets and FIFOs of a worker are not published, and what is beside them is', async () => {
  const cache = scratch()
  const first = await prepareTestWorker(cache)
  first.write('groups/g/k', 'whole')
  execFileSync('mkfifo', [join(first.path, 'groups/g/fifo'), join(first.path, 'fifo')])
  const server = createServer().listen(join(first.path, 'groups/g/s'))
  await first.ended(0)
  server.close()
  expect(first.saw('worker-degraded')).toEqual([])
  const second = await runTestWorker(
    cache,
    ({ files, path }) => {
      // The clean slot is used as it is.
      expect(files()).toEqual(['fifo', 'groups/g/fifo', 'groups/g/k'])
      rmSync(`${path}/fifo`)
    },
    { exitCode: 1 },
  )
  const third = await prepareTestWorker(cache)
  expect(third.path).toBe(second.path)
  expect(third.files()).toEqual(['groups/g/k'])
  await third.ended(0)
})

test('a unit with a link that leads out is not published, and named; the others are', async () => {
  const cache = scratch()
  const outside = scratch('outside')
  writeFileSync(join(outside, 'secret'), 'secret')
  const worker = await runTestWorker(cache, ({ write, path }) => {
    for (const unit of ['good', 'absolute', 'relative', 'cunning']) write(`groups/${unit}/k`, unit)
    symlinkSync(join(outside, 'secret'), join(path, 'groups/absolute/link'))
    symlinkSync('../../../../../../../../etc/passwd', join(path, 'groups/relative/link'))
    symlinkSync(`${path}/../..`, join(path, 'groups/cunning/link'))
  })
  expect(new Set(worker.saw('worker-degraded').map(({ unit }) => unit))).toEqual(
    new Set(['groups/absolute', 'groups/cunning', 'groups/relative']),
  )
  expect(await generationsIn(cache)).toEqual({ 'groups/good': 1 })
})

test('a link that stands alone is left out without a word: it is of no use without what it names', async () => {
  const cache = scratch()
  const worker = await runTestWorker(cache, ({ write, path }) => {
    write('groups/g/k', 'whole')
    symlinkSync('groups/g', join(path, 'latest'))
  })
  expect(worker.saw('worker-degraded')).toEqual([])
  expect(await generationsIn(cache)).toMatchObject({ 'groups/g': 1 })
})

test('one worker’s file where another has a directory: both start, and the snapshot stays of use', async () => {
  for (const order of [
    ['x', 'x/y'],
    ['x/y', 'x'],
  ] as const) {
    const cache = scratch()
    const workers = [await prepareTestWorker(cache), await prepareTestWorker(cache)]
    workers.forEach((worker, n) => {
      worker.write(order[n]!, 'x')
      worker.write(`groups/${n}/k`, String(n))
    })
    for (const worker of workers) await worker.ended(0)
    // In the clean slots of both, then in slots made anew.
    for (const exitCode of [1, 0]) {
      const next = [await prepareTestWorker(cache), await prepareTestWorker(cache)]
      for (const worker of next) {
        expect(worker.saw('worker-degraded')).toEqual([])
        expect(worker.files()).toEqual(expect.arrayContaining(['groups/0/k', 'groups/1/k']))
        expect(existsSync(join(worker.path, 'x'))).toBe(true)
        await worker.ended(exitCode)
      }
    }
  }
})

test('a directory of the slot that became a link is no way out: nothing beyond it is touched', async () => {
  const cache = scratch()
  const outside = scratch('outside')
  await runTestWorker(cache, ({ write }) => write('groups/g/k', 'one'))
  await runTestWorker(cache, ({ path }) => {
    renameSync(join(path, 'groups'), join(outside, 'groups'))
    symlinkSync(join(outside, 'groups'), join(path, 'groups'))
  })
  const before = filesBelow(outside)
  expect(before).toEqual(['groups/g/k'])
  const told = await prepareTestWorker(cache)
  expect(filesBelow(outside)).toEqual(before)
  expect(told.saw('worker-degraded')).toMatchObject([{ unit: null, error: { code: 'UNSAFE_PATH' } }])
  await told.ended(0)
  const anew = await prepareTestWorker(cache)
  expect(anew.files()).toEqual(['groups/g/k'])
  await anew.ended(0)
  expect(filesBelow(outside)).toEqual(before)
})

test('a damaged unit is not seeded, not in part either; who compiles it anew repairs the snapshot', async () => {
  for (const damage of [
    (file: string) => truncateSync(file, 2),
    (file: string) => appendFileSync(file, '!'),
    (file: string) => rmSync(file),
  ]) {
    const cache = scratch()
    await runTestWorker(
      cache,
      ({ write }) => {
        write('groups/g/1', 'first')
        write('groups/g/2', 'second')
        write('groups/h/k', 'other')
      },
      { exitCode: 0 },
    )
    const unit = (await snapshotIn(cache)).get('groups/g')!
    damage(join(unit.path, 'files/groups/g/2'))
    const held = await prepareTestWorker(cache)
    const worker = await prepareTestWorker(cache)
    expect(worker.saw('worker-degraded')).toEqual([])
    expect(worker.files()).toEqual(['groups/h/k'])
    worker.write('groups/g/1', 'first')
    worker.write('groups/g/2', 'again')
    await worker.ended(0)
    await held.ended(1)

    const next = await prepareTestWorker(cache)
    expect(next.files()).toEqual(['groups/g/1', 'groups/g/2', 'groups/h/k'])
    expect(next.read('groups/g/2')).toBe('again')
    await next.ended(0)
  }
})

test('a unit that gc takes while it is being seeded: at every step, all of it or nothing of it', async () => {
  const cache = scratch()
  await runTestWorker(cache, ({ write }) => {
    for (const unit of ['g', 'h']) for (const file of ['1', '2']) write(`groups/${unit}/${file}`, unit + file)
  })
  const unit = (await snapshotIn(cache)).get('groups/g')!
  const blocker = await prepareTestWorker(cache)
  const seen = new Set<string>()
  for (let n = 1; ; n++) {
    const disk = atCall(n, () => {
      if (existsSync(unit.path)) renameSync(unit.path, `${cache}/taken`)
    })
    const worker = await prepareTestWorker(cache, {}, disk.host)
    const files = worker.files().join()
    await worker.ended(1)
    if (existsSync(`${cache}/taken`)) renameSync(`${cache}/taken`, unit.path)
    if (disk.reached === undefined) break
    expect(worker.saw('worker-degraded'), disk.reached).toEqual([])
    expect(['groups/h/1,groups/h/2', 'groups/g/1,groups/g/2,groups/h/1,groups/h/2'], disk.reached).toContain(
      files,
    )
    seen.add(files)
  }
  expect(seen.size).toBe(2)
  await blocker.ended(0)
})

test('a unit of which two generations come out while it is being seeded: at every step, the slot has one of them', async () => {
  const seen = new Set<string>()
  for (let n = 1; ; n++) {
    const cache = scratch()
    await runTestWorker(cache, ({ write }) => write('groups/g/1', 'x'))
    await runTestWorker(cache, ({ write }) => write('groups/g/2', 'x'))
    // In slot 0, so that the one that is looked at is cold.
    const grower = await prepareTestWorker(cache, { settleMs: 1 })
    const disk = atCall(n, async () => {
      for (const generation of [3, 4]) {
        grower.write(`groups/g/${generation}`, 'x')
        if (generation === 3) grower.started()
        await until('it is published', () =>
          grower.saw('worker-published').some((each) => each.generation === generation),
        )
      }
    })
    const worker = await prepareTestWorker(cache, {}, disk.host)
    const files = worker.files().join()
    await worker.ended(1)
    await grower.ended(1)
    if (disk.reached === undefined) break
    expect(worker.saw('worker-degraded'), disk.reached).toEqual([])
    expect(['groups/g/1,groups/g/2', 'groups/g/1,groups/g/2,groups/g/3,groups/g/4'], disk.reached).toContain(
      files,
    )
    seen.add(files)
  }
  expect(seen.size).toBe(2)
})

test('what somebody has planted in a snapshot leads nothing out of the slot', async () => {
  const cache = scratch()
  await runTestWorker(cache, ({ write }) => write('groups/g/k', 'whole'))
  const precious = join(cache, 'precious')
  mkdirSync(precious)
  writeFileSync(join(precious, 'k'), 'precious')
  const entry = (await snapshotIn(cache)).get('groups/g')!
  const manifest = decodeManifest(readFileSync(join(entry.path, 'MANIFEST.json'), 'utf8')) as Manifest
  const key = JSON.parse(manifest.key) as object
  const planted: Manifest[] = [
    { ...manifest, key: JSON.stringify({ ...key, unit: '../../../../precious' }) },
    { ...manifest, links: [{ path: 'singles/link', target: 'k' }] },
    { ...manifest, links: [{ path: 'groups/g/link', target: '/etc' }] },
    { ...manifest, files: [{ ...manifest.files[0]!, path: 'elsewhere' }] },
    { ...manifest, key: 'null' },
    { ...manifest, key: '"alpha"' },
  ]
  for (const each of planted) {
    const file = join(entry.path, 'MANIFEST.json')
    const text = readFileSync(file, 'utf8')
    expect(typeof decodeManifest(encodeManifest(each))).toBe('object')
    writeFileSync(file, encodeManifest(each))
    const held = await prepareTestWorker(cache)
    const worker = await prepareTestWorker(cache)
    expect(worker.saw('worker-degraded')).toEqual([])
    expect(worker.files(), each.key).toEqual([])
    expect(filesBelow(precious)).toEqual(['k'])
    await worker.ended(1)
    await held.ended(1)
    writeFileSync(file, text)
  }
})
