/** What of a worker's files becomes part of the snapshot, when, and what never does. */
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { directDisk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { type Found, lookUp } from '../../src/store/lookup.js'
import { atCall } from '../support/stopping-disk.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'
import {
  filesBelow,
  generationsIn,
  prepareTestWorker,
  runTestWorker,
  snapshotIn,
} from '../support/slot-workers.js'

const scratch = useScratch()
/** Files are still at the second look. */
const SETTLE_MS = 20

/** The files of all units of the snapshot. */
async function filesIn(cache: string): Promise<string[]> {
  const units = [...(await snapshotIn(cache)).values()]
  return units.flatMap(({ path }) => filesBelow(join(path, 'files'))).sort()
}

test('a unit that grows is published as its next generation; one that is as it was is not', async () => {
  const cache = scratch()
  const first = await runTestWorker(cache, (worker) => worker.write('groups/g/1', 'one'))
  expect(first.saw('worker-published')).toEqual([
    { type: 'worker-published', worker: '0', unit: 'groups/g', generation: 1, bytes: 3 },
  ])
  const second = await runTestWorker(cache, (worker) => worker.write('groups/g/2', 'two'))
  expect(second.saw('worker-published')).toMatchObject([{ unit: 'groups/g', generation: 2, bytes: 6 }])
  const touched = await runTestWorker(cache, (worker) => worker.write('groups/g/2', 'two'))
  expect(touched.saw('worker-published')).toEqual([])
  const shrunk = await runTestWorker(cache, (worker) => worker.write('groups/g/2', ''))
  expect(shrunk.saw('worker-published')).toMatchObject([{ generation: 3, bytes: 3 }])
  expect(await generationsIn(cache)).toEqual({ 'groups/g': 3 })
})

test('two workers at once both keep their work; of the same unit, the first one’s is kept whole', async () => {
  const cache = scratch()
  const workers = await Promise.all(Array.from({ length: 4 }, () => prepareTestWorker(cache)))
  workers.forEach((worker, n) => {
    worker.write(`groups/own-${n}/k`, String(n))
    for (const file of ['a', 'b', `only-${n}`]) worker.write(`groups/same/${file}`, String(n))
  })
  await Promise.all(workers.map((worker) => worker.ended(0)))
  expect(await generationsIn(cache)).toEqual({
    'groups/own-0': 1,
    'groups/own-1': 1,
    'groups/own-2': 1,
    'groups/own-3': 1,
    'groups/same': 1,
  })
  const { path } = (await snapshotIn(cache)).get('groups/same')!
  const winner = readFileSync(join(path, 'files/groups/same/a'), 'utf8')
  expect(filesBelow(join(path, 'files/groups/same'))).toEqual(['a', 'b', `only-${winner}`])
  expect(readFileSync(join(path, 'files/groups/same/b'), 'utf8')).toBe(winner)
  // Who came second has its own no more: what it starts with next is the snapshot.
  const next = await Promise.all(workers.map(() => prepareTestWorker(cache)))
  for (const worker of next) {
    expect(worker.read('groups/same/a')).toBe(winner)
    expect(worker.files()).toHaveLength(4 + 3)
    await worker.ended(0)
  }
})

test('who is behind publishes nothing of that unit, however far', async () => {
  for (const ahead of [1, 2, 3, 4]) {
    const cache = scratch()
    await runTestWorker(cache, (worker) => worker.write('groups/g/0', 'x'))
    const seeded = await prepareTestWorker(cache)
    for (let n = 1; n <= ahead; n++)
      await runTestWorker(cache, (worker) => worker.write(`groups/g/${n}`, 'x'))
    const before = await filesIn(cache)
    seeded.write('groups/g/late', 'late')
    seeded.write('groups/new/k', 'new')
    await seeded.ended(0)
    expect(seeded.saw('worker-published')).toMatchObject([{ unit: 'groups/new' }])
    expect(await filesIn(cache)).toEqual([...before, 'groups/new/k'].sort())
  }
})

test('who started cold publishes nothing of a unit that has grown meanwhile', async () => {
  const cache = scratch()
  const cold = await prepareTestWorker(cache)
  for (let n = 1; n <= 4; n++) await runTestWorker(cache, (worker) => worker.write(`groups/g/${n}`, 'x'))
  cold.write('groups/g/late', 'late')
  await cold.ended(0)
  expect(cold.saw('worker-published')).toEqual([])
  expect(await generationsIn(cache)).toEqual({ 'groups/g': 4 })
})

test('while it runs, a worker’s still files are published, one that it has open for writing is not', async () => {
  const cache = scratch()
  const worker = await prepareTestWorker(cache, { settleMs: SETTLE_MS })
  const open = join(worker.path, 'groups/open')
  worker.write('groups/open/done', 'done')
  const fd = openSync(join(open, 'half'), 'w')
  writeSync(fd, 'ha')
  worker.started()
  worker.write('groups/still/k', 'still')
  await until('one is published', () => worker.saw('worker-published').length > 0)
  worker.write('groups/later/k', 'later')
  await until('another one', () => worker.saw('worker-published').length > 1)
  expect(Object.keys(await generationsIn(cache)).sort()).toEqual(['groups/later', 'groups/still'])
  writeSync(fd, 'lf')
  closeSync(fd)
  await until('it is closed', async () => (await snapshotIn(cache)).has('groups/open'))
  expect(await filesIn(cache)).toContain('groups/open/half')
  await worker.ended(137)
})

test('what a worker has written after the last look is published if it ends well, and only then', async () => {
  const cache = scratch()
  await runTestWorker(cache, (worker) => worker.write('groups/bad/k', 'bad'), { exitCode: 1 })
  await runTestWorker(cache, (worker) => worker.write('groups/killed/k', 'bad'), { exitCode: 137 })
  expect(await generationsIn(cache)).toEqual({})
  await runTestWorker(cache, (worker) => worker.write('groups/good/k', 'good'))
  expect(await filesIn(cache)).toEqual(['groups/good/k'])
})

test('with a settle time of 0, nothing is looked at before the end', async () => {
  const cache = scratch()
  let calls = 0
  const { host } = atCall(0, () => undefined)
  const counted = {
    ...host,
    clock: {
      ...host.clock,
      sleep: (ms: number, signal?: AbortSignal) => (calls++, realHost().clock.sleep(ms, signal)),
    },
  }
  const worker = await prepareTestWorker(cache, { settleMs: 0 }, counted)
  worker.write('groups/g/k', 'x')
  calls = 0
  worker.started()
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  expect(calls).toBe(0)
  expect(await generationsIn(cache)).toEqual({})
  await worker.ended(0)
  expect(await generationsIn(cache)).toEqual({ 'groups/g': 1 })
})

test('a unit that changes while it is copied is not published as it was seen, at whatever step it changes', async () => {
  const reached = new Set<string>()
  for (let n = 1; ; n++) {
    const cache = scratch()
    let change = (): void => undefined
    let armed = false
    const disk = atCall(0, () => undefined)
    const worker = await prepareTestWorker(cache, {}, disk.host)
    worker.write('groups/g/1', 'old 1')
    worker.write('groups/g/2', 'old 2')
    const at = disk.calls + n
    const stepped = atCall(at, () => {
      if (armed) change()
    })
    await worker.ended(1)
    const again = await prepareTestWorker(cache, {}, stepped.host)
    again.write('groups/g/1', 'old 1')
    again.write('groups/g/2', 'old 2')
    change = () => {
      again.write('groups/g/2', 'changed 2')
      again.write('groups/g/1', 'changed 1')
    }
    armed = true
    await again.ended(0)
    if (stepped.reached === undefined) break
    reached.add(stepped.reached)
    const unit = (await snapshotIn(cache)).get('groups/g')
    if (!unit) continue
    const texts = ['1', '2'].map((file) => readFileSync(join(unit.path, 'files/groups/g', file), 'utf8'))
    expect(['old 1,old 2', 'changed 1,changed 2'], stepped.reached).toContain(texts.join())
    const found = await lookUp(directDisk, unit.path, null, 'hashes')
    expect(found.state, stepped.reached).toBe('hit')
    closeSync((found as Found).fd)
  }
  expect([...reached]).toEqual(expect.arrayContaining(['copy', 'lstat', 'rename']))
})

test('a slot that cannot be looked at any more is a warning, once, and ends neither worker nor wrapper', async () => {
  const cache = scratch()
  const reached = new Set<string>()
  for (const name of ['readdir', 'lstat', 'copy', 'mkdir', 'rename']) {
    const fault = { on: false }
    const { host } = failing(name, fault)
    const worker = await prepareTestWorker(cache, { settleMs: SETTLE_MS }, host)
    worker.write(`groups/${name}/k`, 'x')
    fault.on = true
    worker.started()
    await until('it is told', () => worker.saw('worker-degraded').length > 0)
    await worker.ended(0)
    expect(worker.saw('worker-degraded')).toMatchObject([{ unit: null, error: { code: 'DISK_ERROR' } }])
    reached.add(name)
    fault.on = false
    // Its slot is nobody's, and makes the next one cold in nothing.
    const next = await prepareTestWorker(cache)
    expect(next.path).toBe(worker.path)
    expect(next.saw('worker-degraded')).toEqual([])
    await next.ended(1)
  }
  expect(reached.size).toBe(5)
})

/** A host on whose disk a call fails with EIO below the slots and where units are staged, while `on`. */
function failing(name: string, fault: { on: boolean }) {
  const real = realHost()
  const host = {
    ...real,
    diskFor: (fileSystem: Parameters<typeof real.diskFor>[0]) =>
      new Proxy(real.diskFor(fileSystem), {
        get(target, key: string) {
          const call = target[key as 'lstat']
          if (key !== name) return call
          return async (...args: [string]) => {
            if (fault.on && /\/(slots|stage)\//.test(args[0]))
              throw Object.assign(new Error('EIO'), { code: 'EIO' })
            return call(...args)
          }
        },
      }),
  }
  return { host }
}

test.skipIf(missing('linux'))(
  'a worker that ends well and leaves a process behind: the slot is not taken for whole',
  async () => {
    const cache = scratch()
    const worker = await prepareTestWorker(cache)
    worker.write('groups/done/k', 'done')
    const script = 'mkdir -p "$GROUPS_DIR/half"; printf ha >"$GROUPS_DIR/half/k"; echo ready; exec sleep 600'
    const left = spawn('sh', ['-c', script], { env: { ...process.env, ...worker.env } })
    await new Promise((resolve) => left.stdout.once('data', resolve))
    await worker.ended(0)
    expect((await generationsIn(cache))['groups/half']).toBeUndefined()
    // While it lives, nobody else is given its slot.
    const other = await prepareTestWorker(cache)
    expect(other.path).not.toBe(worker.path)
    await other.ended(1)
    appendFileSync(join(worker.path, 'groups/half/k'), 'torn')
    left.kill('SIGKILL')
    await new Promise((resolve) => left.once('exit', resolve))
    const next = await prepareTestWorker(cache)
    expect(next.path).toBe(worker.path)
    expect(existsSync(join(next.path, 'groups/half/k'))).toBe(false)
    await next.ended(0)
  },
)

test('nothing is left of the stages of units that were not published', async () => {
  const cache = scratch()
  const workers = [await prepareTestWorker(cache), await prepareTestWorker(cache)]
  for (const worker of workers) worker.write('groups/same/k', worker.path)
  for (const worker of workers) await worker.ended(0)
  expect(readdirSync(join(cache, 'v1/stage'))).toEqual([])
})
