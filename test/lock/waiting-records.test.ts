/** Who waits is on record after a second, once a process, until the wait ends in whatever way. */
import { readFileSync, readdirSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Host, realHost } from '../../src/host/host.js'
import type { Disk } from '../../src/host/disk.js'
import type { Lease } from '../../src/lock/locker.js'
import { isOver, parseWaiter } from '../../src/core/waiter.js'
import { WaitingRecords } from '../../src/lock/waiting-records.js'
import { ACROSS_PROCESSES, makeLocker } from '../support/lockers.js'
import { useLockDirectory } from '../support/lock-directory.js'
import { until } from '../support/until.js'

const lockDirectory = useLockDirectory()
let path: string

beforeEach(() => {
  path = `${lockDirectory()}/model`
})

const records = (): string[] =>
  readdirSync(lockDirectory()).filter((name) => /\.waiting\.[0-9a-f]{32}\.json$/.test(name))

/** Its timers go off when they are told to, those of so many milliseconds; not those of the locks' own upkeep. */
function handHost(): { host: Host; goOff: (ms: number) => number } {
  const real = realHost()
  const timers = new Map<() => void, number>()
  const later: Host['clock']['later'] = (ms, tick) => {
    if (ms < 1_000) return real.clock.later(ms, tick)
    const timer = (): void => tick()
    timers.set(timer, ms)
    return () => void timers.delete(timer)
  }
  const goOff = (ms: number): number => {
    const due = [...timers].filter(([, each]) => each === ms).map(([timer]) => timer)
    for (const timer of due) {
      timers.delete(timer)
      timer()
    }
    return due.length
  }
  return { host: { ...real, clock: { ...real.clock, later } }, goOff }
}

type End = (wait: { held: Lease; abort: AbortController; goOff: (ms: number) => number }) => unknown

const ENDS: Record<string, End> = {
  'it gets the lock': ({ held }) => held.release(),
  'it is aborted': ({ abort }) => abort.abort(new Error('enough')),
  'it times out': ({ goOff }) => goOff(7_000),
}

describe.each(ACROSS_PROCESSES)('%s', (name) => {
  test.each(Object.keys(ENDS))('the record is there while it waits, and gone when %s', async (end) => {
    const held = await makeLocker(name).acquire(path, { announce: true })
    const { host, goOff } = handHost()
    const abort = new AbortController()
    const waiting = makeLocker(name, { host })
      .acquire(path, { signal: abort.signal, timeoutMs: 7_000, label: 'model=llama' })
      .then((lease) => lease.release())
      .catch(() => undefined)
    await until('its second is over', () => goOff(1_000) > 0)
    const [record] = await until('it is on record', () => records().length > 0 && records())
    const text = await until('all of it', () => readFileSync(`${lockDirectory()}/${record}`, 'utf8'))
    const waiter = parseWaiter(JSON.parse(text))!
    expect(waiter).toMatchObject({ label: 'model=llama', owner: { pid: process.pid } })
    expect(waiter.deadline).toBe(waiter.owner.since + 7_000)
    expect(isOver(waiter, host.processes, Date.now())).toBe(false)
    await ENDS[end]!({ held, abort, goOff })
    await waiting
    expect(records()).toEqual([])
    await held.release()
  })
})

test('a hundred that wait in one process are one record, until the last of them has ended', async () => {
  const held = await makeLocker('kernel').acquire(path)
  const { host, goOff } = handHost()
  const locker = makeLocker('kernel', { host })
  const aborts = Array.from({ length: 100 }, () => new AbortController())
  const waits = aborts.map(({ signal }) => locker.acquire(path, { signal }).catch(() => undefined))
  let over = 0
  await until('the second of each is over', () => (over += goOff(1_000)) === waits.length)
  await until('it is on record', () => records().length > 0)
  for (const abort of aborts.slice(1)) abort.abort()
  await Promise.all(waits.slice(1))
  expect(records()).toHaveLength(1)
  aborts[0]!.abort()
  await waits[0]
  expect(records()).toEqual([])
  await held.release()
})

test('a record that a failing disk has kept goes when the next wait is over', async () => {
  const host = realHost()
  const state = { fails: true }
  const disk: Disk = {
    ...host.directDisk,
    unlink: (name) =>
      state.fails
        ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
        : host.directDisk.unlink(name),
  }
  const waiting = new WaitingRecords(host, disk)
  const told = { timeoutMs: 7_000, label: undefined }
  await waiting.tell(path, Date.now(), told)()
  expect(records()).toHaveLength(1)
  state.fails = false
  await waiting.tell(`${path}-other`, Date.now(), told)()
  expect(records()).toEqual([])
})

test('a wait that nobody else asks for, and one that does not wait, are not on record', async () => {
  const held = await makeLocker('kernel').acquire(path)
  const { host, goOff } = handHost()
  const locker = makeLocker('kernel', { host })
  await expect(locker.acquire(path, { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
  const abort = new AbortController()
  const alone = locker.acquire(path, { alone: true, signal: abort.signal }).catch(() => undefined)
  expect(goOff(1_000)).toBe(0)
  abort.abort()
  await alone
  expect(records()).toEqual([])
  await held.release()
})

describe('what a record tells later', () => {
  const here = realHost().processes
  const ours = here.asOwner(1_000)
  const deadOne = { ...ours, startTime: '1' }
  const elsewhere = { ...ours, bootId: 'another' }
  const DAY = 24 * 60 * 60 * 1000
  test.each([
    ['of one who lives, past its time', ours, 2_000, 3_000, false],
    ['of one who is dead', deadOne, 2_000, 1_500, true],
    ['of another host, before its time', elsewhere, 2_000, 1_999, false],
    ['of another host, past its time', elsewhere, 2_000, 2_001, true],
    ['of another host, without a limit', elsewhere, null, DAY, false],
    ['of another host, without a limit, long ago', elsewhere, null, 8 * DAY, true],
  ] as const)('%s', (_what, owner, deadline, now, over) => {
    expect(isOver({ owner, label: null, deadline }, here, now)).toBe(over)
  })

  test.each([
    null,
    1,
    'x',
    {},
    { owner: ours },
    { owner: ours, deadline: 'soon' },
    { owner: 3, deadline: null },
  ])('nothing, where it is %j', (value) => expect(parseWaiter(value)).toBeNull())
})
