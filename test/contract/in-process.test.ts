/** The contract of src/lock/locker.ts in one process. A second locker of a kind is to the first as another process. */
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { gateDirectory } from '../../src/host/directories.js'
import type { Lease, Wait } from '../../src/lock/locker.js'
import { fastHost, steppedHost } from '../support/hosts.js'
import { ACROSS_PROCESSES, LOCKERS, makeLocker } from '../support/lockers.js'
import { childrenOf, openBelow } from '../support/proc.js'
import { useLockDirectory } from '../support/lock-directory.js'
import { until } from '../support/until.js'

const lockDirectory = useLockDirectory()
let directory: string
let path: string

beforeEach(() => {
  directory = lockDirectory()
  path = `${directory}/model`
})

/** What a waiter must not leave behind. The owner record is the holder's, and written at any time. */
const traces = (): unknown => ({
  open: [directory, gateDirectory()].flatMap(openBelow).filter((name) => !name.includes('.owner.json')),
  children: childrenOf(process.pid).filter(({ name }) => name === 'flock' || name === 'setpriv'),
  files: readdirSync(directory).filter((name) => !/\.lock$|\.owner\.json/.test(name)),
})

const waitsInKernel = (): boolean => childrenOf(process.pid).some(({ name }) => name === 'flock')

describe.each(LOCKERS)('%s', (name) => {
  test('a free lock is taken without waiting, as often as it is released', async () => {
    const locker = makeLocker(name)
    for (let round = 0; round < 3; round++) {
      const lease = await locker.acquire(path)
      expect(lease.waited).toBe(false)
      expect(lease.signal.aborted).toBe(false)
      await lease.release()
    }
  })

  test('locks of different paths do not exclude each other', async () => {
    const locker = makeLocker(name)
    await using _one = await locker.acquire(path)
    await using other = await locker.acquire(`${path}-other`, { timeoutMs: 0 })
    expect(other.waited).toBe(false)
  })

  test('those who ask in one process queue in the order of their arrival, one inside at a time', async () => {
    const locker = makeLocker(name)
    const first = await locker.acquire(path)
    const order: number[] = []
    let inside = 1
    const others = [1, 2, 3, 4, 5].map(async (number) => {
      const lease = await locker.acquire(path)
      order.push(number)
      expect([++inside, lease.waited]).toEqual([1, true])
      await new Promise(setImmediate)
      inside--
      await lease.release()
    })
    await new Promise(setImmediate)
    expect(order).toEqual([])
    inside--
    await first.release()
    await Promise.all(others)
    expect(order).toEqual([1, 2, 3, 4, 5])
  })

  test('release is idempotent, and a second one does not touch a successor', async () => {
    const locker = makeLocker(name)
    const first = await locker.acquire(path)
    await Promise.all([first.release(), first.release()])
    await using _second = await locker.acquire(path)
    await first.release()
    await expect(locker.acquire(path, { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
  })

  test('a signal that has aborted already takes nothing', async () => {
    const locker = makeLocker(name)
    const reason = new Error('too late')
    await expect(locker.acquire(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await using lease = await locker.acquire(path, { timeoutMs: 0 })
    expect(lease.waited).toBe(false)
  })

  test('abort and time-out in the queue leave the line, and those behind move up', async () => {
    const locker = makeLocker(name)
    const first = await locker.acquire(path)
    const before = traces()
    const [abort, reason] = [new AbortController(), new Error('changed my mind')]
    const aborted = locker.acquire(path, { signal: abort.signal })
    const timedOut = locker.acquire(path, { timeoutMs: 30 })
    const last = locker.acquire(path)
    abort.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    await expect(timedOut).rejects.toMatchObject({ code: 'WAIT_TIMEOUT', path })
    expect(traces()).toEqual(before)
    await first.release()
    await (await last).release()
  })
})

describe.each(ACROSS_PROCESSES)('%s, with another process holding it', (name) => {
  let held: Lease

  beforeEach(async () => {
    held = await makeLocker(name).acquire(path, { announce: true })
    await until('the owner is on record', () => existsSync(`${path}.owner.json`))
  })
  afterEach(() => held.release())

  async function expectNothingLeft(before: unknown): Promise<void> {
    expect(traces()).toEqual(before)
    await held.release()
    const other = await makeLocker(name).acquire(path, { timeoutMs: 0 })
    await other.release()
  }

  test('abort at any step of the waiting leaves nothing behind', async () => {
    const before = traces()
    const locate = name === 'lockfile without a gate' ? 8 : 12
    for (let abortAt = 1; abortAt <= locate; abortAt++) {
      const [abort, reason] = [new AbortController(), new Error(`at step ${abortAt}`)]
      let steps = 0
      const host = steppedHost(() => ++steps === abortAt && abort.abort(reason))
      const waiter = makeLocker(name, { host }).acquire(path, { signal: abort.signal })
      waiter.catch(() => undefined)
      // Whoever waits in the kernel makes no further step.
      await until('it aborts, or waits in the kernel', () => abort.signal.aborted || waitsInKernel())
      abort.abort(reason)
      await expect(waiter).rejects.toBe(reason)
      expect(traces()).toEqual(before)
    }
    await expectNothingLeft(before)
  })

  test('a time-out says who holds it and which option is the limit, and leaves nothing behind', async () => {
    const before = traces()
    for (const timeoutMs of [0, 1, 5, 40, 150]) {
      await expect(makeLocker(name).acquire(path, { timeoutMs })).rejects.toMatchObject({
        code: 'WAIT_TIMEOUT',
        message: expect.stringContaining(`pid ${process.pid} on `) as string,
        hint: expect.stringContaining('timeoutMs') as string,
      })
      expect(traces()).toEqual(before)
    }
    await expectNothingLeft(before)
  })

  test('waiting is announced after a second with the owner, and again after ten', async () => {
    const waits: Wait[] = []
    const abort = new AbortController()
    const waiter = makeLocker(name, { host: fastHost(20), staleMs: 60 * 60 * 1000 }).acquire(path, {
      signal: abort.signal,
      onWait: (wait) => waits.push(wait) === 3 && abort.abort(new Error('seen enough')),
    })
    await expect(waiter).rejects.toThrow('seen enough')
    expect(waits.map(({ waitedMs }) => waitedMs > 900)).toEqual([true, true, true])
    expect(waits[1]!.waitedMs - waits[0]!.waitedMs).toBeGreaterThan(9_000)
    expect(waits[0]).toMatchObject({ path, verdict: 'alive', owner: { pid: process.pid } })
  })

  test('a lock deleted under its holder is taken by another, and the holder is told', async () => {
    const aborted = once(held.signal, 'abort')
    for (const suffix of ['.lock', '.held']) rmSync(`${path}${suffix}`, { recursive: true, force: true })
    await aborted
    expect(held.signal.reason).toMatchObject({ message: expect.stringMatching(/lock/) as string })
    // At the gate of one host, the next one waits until the holder has noticed and let go.
    if (name === 'lockfile') await held.release()
    await using other = await makeLocker(name).acquire(path)
    await held.release()
    expect(other.signal.aborted).toBe(false)
    await expect(makeLocker(name).acquire(path, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
    })
  })
})
