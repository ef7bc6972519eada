/** All that a process is killed at. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock, writeDirectory, writeFile } from '../../src/index.js'
import { checkDirectory, checkFile } from '../support/checker.js'
import { described } from '../support/self-describing.js'
import { type TestWorker, prepareTestWorker } from '../support/slot-workers.js'
import { until } from '../support/until.js'
import {
  AT_ONCE,
  type LockerName,
  MODEL,
  type Operation,
  type Place,
  STALE_MS,
  compile,
  fill,
  newId,
  open,
  sweep,
} from './operation.js'
import { SUCCEEDING, waitingWith } from './waiting.js'

/** The damage is looked for by nobody but the library. */
export const PLANTED_BYTES = 100

async function damage(root: string, locker: LockerName): Promise<void> {
  const cache = await open(root, locker)
  const entry = await cache.getOrCompile('model', ({ dir }) => fill(dir))
  truncateSync(join(entry.path, 'kernel.bin'), PLANTED_BYTES)
  await entry.release()
}

/** Holds the lock until it says on disk who it is: 25 ms. */
const hold = ({ file }: Place): Promise<void> =>
  withLock(
    file,
    async (lease) => void (await until('the record is there', () => existsSync(`${lease.path}.owner.json`))),
    AT_ONCE,
  )

async function putFile({ file }: Place): Promise<void> {
  await writeFile(file, described({ unit: 'file', id: newId() }, randomBytes(100_000)), AT_ONCE)
  if (checkFile(file) === null) throw new Error(`${file} is not there`)
}

async function putDirectory({ directory }: Place): Promise<void> {
  await writeDirectory(directory, (dir) => fill(dir), { ...AT_ONCE, ifExists: 'replace' })
  if (checkDirectory(directory) === null) throw new Error(`${directory} is not there`)
}

/** Entries, a superseded unit, a slot, and what a crash has left. */
async function litter({ root }: Place, locker: LockerName): Promise<void> {
  await compile(root, locker)
  await workInSlot(root, locker, 'a')
  await workInSlot(root, locker, 'a')
  for (const place of [
    `stage/${'1'.repeat(32)}`,
    `trash/${'2'.repeat(32)}`,
    `trash/${'3'.repeat(32)}.doomed`,
  ]) {
    mkdirSync(join(root, 'v1', place, 'files'), { recursive: true })
    writeFileSync(join(root, 'v1', place, 'files/half'), 'ha')
  }
}

const lease = (root: string, locker: LockerName): Promise<TestWorker> =>
  prepareTestWorker(root, { locker, staleMs: STALE_MS })

async function workInSlot(root: string, locker: LockerName, ...units: string[]): Promise<void> {
  const worker = await lease(root, locker)
  worker.started()
  for (const unit of units) fill(join(worker.path, 'groups', unit), `groups/${unit}`)
  await worker.ended(0)
}

/** Is warm with what was published before the victim began; what it finds is whole, and it adds what is missing. */
async function goOnWarm({ root }: Place, published: string[]): Promise<void> {
  const worker = await lease(root, 'kernel')
  if (worker.slot !== 0) throw new Error('The slot of the dead is not free')
  for (const unit of ['a', 'b']) {
    const path = join(worker.path, 'groups', unit)
    const found = checkDirectory(path, `groups/${unit}`)
    if (found === null && published.includes(unit)) throw new Error(`${unit} was published, and is lost`)
    if (found === null) fill(path, `groups/${unit}`)
  }
  await worker.ended(0)
}

const withLocker = (locker: LockerName): Record<string, Operation> => ({
  'making a cache': {
    act: ({ root }) => open(root, locker),
    goOn: ({ root }) => compile(root, locker),
  },
  'publishing an entry': {
    prepare: ({ root }) => open(root, locker),
    act: ({ root }) => compile(root, locker),
    goOn: ({ root }) => compile(root, locker),
  },
  gc: {
    prepare: (place) => litter(place, locker),
    act: ({ root }) => sweep(root, locker),
    goOn: ({ root }) => compile(root, locker),
  },
  ...waitingWith(locker),
})

export const OPERATIONS: Record<LockerName, Record<string, Operation>> = {
  kernel: {
    ...withLocker('kernel'),
    'taking and releasing a lock': { act: hold, goOn: hold },
    'publishing in place of a damaged entry': {
      prepare: ({ root }) => damage(root, 'kernel'),
      act: ({ root }) => compile(root, 'kernel'),
      goOn: ({ root }) => compile(root, 'kernel'),
    },
    'writing a file': {
      prepare: putFile,
      act: putFile,
      keeps: ({ file }) => checkFile(file) !== null,
      goOn: putFile,
    },
    'replacing a directory': {
      prepare: putDirectory,
      act: putDirectory,
      keeps: ({ directory }) => checkDirectory(directory) !== null,
      goOn: putDirectory,
    },
    'seeding a slot': {
      prepare: async ({ root }) => {
        await workInSlot(root, 'kernel', 'a', 'b')
        // Its last worker did not end well: so the next one is seeded anew.
        await (await lease(root, 'kernel')).ended(1)
      },
      act: ({ root }) => lease(root, 'kernel'),
      goOn: (place) => goOnWarm(place, ['a', 'b']),
    },
    'publishing a snapshot': {
      prepare: ({ root }) => workInSlot(root, 'kernel', 'a'),
      act: ({ root }) => workInSlot(root, 'kernel', 'a', 'b'),
      goOn: (place) => goOnWarm(place, ['a']),
    },
  },
  lockfile: {
    ...withLocker('lockfile'),
    ...SUCCEEDING,
    'taking over from the dead': {
      // Of another host: behind the gate, its death is known at once.
      prepare: async ({ root }) => {
        const cache = await open(root, 'lockfile')
        await cache.locker()
        mkdirSync(join(root, 'v1/locks', `${MODEL}.held`))
        writeFileSync(join(root, 'v1/locks', `${MODEL}.held`, '4'.repeat(32)), '')
      },
      act: async ({ root }) => {
        const cache = await open(root, 'lockfile')
        await (await cache.getOrCompile('model', ({ dir }) => fill(dir))).release()
      },
      goOn: async ({ root }) => {
        const cache = await open(root, 'lockfile')
        await (await cache.getOrCompile('model', ({ dir }) => fill(dir))).release()
      },
    },
  },
}
