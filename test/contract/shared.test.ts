/** The contract of src/lock/locker.ts where a lock is shared: in one process, among processes, and with flock(1). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { impatientHost } from '../support/hosts.js'
import { ACROSS_PROCESSES, LOCKERS, makeLocker } from '../support/lockers.js'
import { useLockDirectory } from '../support/lock-directory.js'
import { missing } from '../support/needs.js'
import { childrenOf, openBelow } from '../support/proc.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import type { WorkerProcess } from '../support/worker-process.js'
import type { Wait } from '../../src/lock/locker.js'

const lockDirectory = useLockDirectory()
const startWorker = useWorkers()
const shared = { shared: true } as const
const now = { timeoutMs: 0 } as const
const busy = { code: 'WAIT_TIMEOUT' }
let path: string

beforeEach(() => {
  path = `${lockDirectory()}/model`
})

const isLockfile = (name: string): boolean => name.startsWith('lockfile')
const canShare = <N extends string>(name: N): boolean => !isLockfile(name)

describe.each(LOCKERS.filter(isLockfile))('%s', (name) => {
  test('says at once that its locks cannot be shared, and takes nothing', async () => {
    const locker = makeLocker(name)
    await expect(locker.acquire(path, shared)).rejects.toMatchObject({
      code: 'LOCK_UNAVAILABLE',
      hint: expect.stringMatching(/without sharing/) as string,
    })
    await using lease = await locker.acquire(path, now)
    expect(lease.waited).toBe(false)
  })
})

describe.each(LOCKERS.filter(canShare))('%s, in one process', (name) => {
  test('those who share hold it at once, and an exclusive one waits for the last of them', async () => {
    const locker = makeLocker(name)
    const sharers = await Promise.all([1, 2, 3].map(() => locker.acquire(path, { ...shared, ...now })))
    expect(sharers.map(({ waited }) => waited)).toEqual([false, false, false])
    await expect(locker.acquire(path, now)).rejects.toMatchObject(busy)
    let inside = sharers.length
    const exclusive = locker.acquire(path).then((lease) => {
      expect(inside).toBe(0)
      return lease
    })
    for (const lease of sharers) {
      await new Promise(setImmediate)
      inside--
      await lease.release()
    }
    await (await exclusive).release()
  })

  test('who shares waits for an exclusive holder, and behind an exclusive waiter; then all of them go in', async () => {
    const locker = makeLocker(name)
    const first = await locker.acquire(path, shared)
    const order: string[] = []
    const exclusive = locker.acquire(path).then((lease) => {
      order.push('exclusive')
      return lease
    })
    const sharers = [1, 2, 3].map((number) =>
      locker.acquire(path, shared).then((lease) => {
        order.push(`shared ${number}`)
        return lease
      }),
    )
    await expect(locker.acquire(path, { ...shared, ...now })).rejects.toMatchObject(busy)
    await first.release()
    await (await exclusive).release()
    const leases = await Promise.all(sharers)
    // All three are let in at once; in which order flock(1) answers them is nobody's promise.
    expect([order[0], ...order.slice(1).sort()]).toEqual(['exclusive', 'shared 1', 'shared 2', 'shared 3'])
    for (const lease of leases) await lease.release()
    await using last = await locker.acquire(path, now)
    expect(last.waited).toBe(false)
  })

  test('when the exclusive waiter between sharers gives up, those behind it go in', async () => {
    const locker = makeLocker(name)
    const first = await locker.acquire(path, shared)
    const [abort, reason] = [new AbortController(), new Error('changed my mind')]
    const exclusive = locker.acquire(path, { signal: abort.signal })
    const second = locker.acquire(path, shared)
    abort.abort(reason)
    await expect(exclusive).rejects.toBe(reason)
    await (await second).release()
    await first.release()
    await using last = await locker.acquire(path, now)
    expect(last.waited).toBe(false)
  })
})

describe.each(ACROSS_PROCESSES.filter(canShare))('%s, among processes', (name) => {
  const start = (): WorkerProcess => startWorker('locker', [name])
  const waitsInKernel = (worker: WorkerProcess): boolean =>
    childrenOf(worker.pid).some((child) => child.name === 'flock')

  test('sixteen hold it at once; the exclusive one waits for the last, and who shares for it', async () => {
    const sharers = Array.from({ length: 16 }, start)
    await Promise.all(sharers.map((worker) => worker.ask('acquire', path, { ...shared, ...now })))
    const [exclusive, late] = [start(), start()]
    await expect(exclusive.ask('acquire', path, now)).rejects.toMatchObject(busy)
    let isInside = false
    const waiting = exclusive.ask('acquire', path).then(() => (isInside = true))
    await until('it waits in the kernel', () => waitsInKernel(exclusive))
    const [last, ...others] = sharers
    for (const worker of others) await worker.ask('release', path)
    await expect(late.ask('acquire', path, now)).rejects.toMatchObject(busy)
    expect(isInside).toBe(false)
    await last!.ask('release', path)
    await waiting

    await expect(late.ask('acquire', path, { ...shared, ...now })).rejects.toMatchObject(busy)
    const sharing = [late, ...others].map((worker) => worker.ask('acquire', path, shared))
    await until('all wait in the kernel', () => [late, ...others].every(waitsInKernel))
    await exclusive.ask('release', path)
    await Promise.all(sharing)
  })

  test('a sharer that is killed frees its part, and a waiting sharer that is killed leaves nothing', async () => {
    const [one, two, exclusive, late] = [start(), start(), start(), start()]
    await Promise.all([one, two].map((worker) => worker.ask('acquire', path, shared)))
    const waiting = exclusive.ask('acquire', path)
    await until('it waits in the kernel', () => waitsInKernel(exclusive))
    await one.kill()
    await expect(late.ask('acquire', path, now)).rejects.toMatchObject(busy)
    await two.kill()
    expect(await waiting).toBe(true)

    void late.ask('acquire', path, shared)
    await until('it waits in the kernel', () => waitsInKernel(late))
    await late.kill()
    await exclusive.ask('release', path)
    expect(await start().ask('acquire', path, now)).toBe(false)
  })

  test('a time-out of who waits for a share leaves nothing behind', async () => {
    await using _held = await makeLocker(name).acquire(path)
    const before = openBelow(path)
    for (const timeoutMs of [0, 1, 5, 40, 150])
      await expect(makeLocker(name).acquire(path, { ...shared, timeoutMs })).rejects.toMatchObject(busy)
    expect(openBelow(path)).toEqual(before)
    expect(childrenOf(process.pid).filter((child) => child.name === 'flock')).toEqual([])
  })

  test('of sharers, one who lives is named to the one that waits, also when the last to come has gone', async () => {
    const [one, two] = [start(), start()]
    await one.ask('acquire', path, { ...shared, announce: true })
    await two.ask('acquire', path, { ...shared, announce: true })
    const owners: (number | undefined)[] = []
    const abort = new AbortController()
    const waiting = makeLocker(name, { host: impatientHost(50) }).acquire(path, {
      signal: abort.signal,
      onWait: ({ owner }: Wait) => owners.push(owner?.pid),
    })
    await until('a sharer is named', () => owners.includes(one.pid) || owners.includes(two.pid))
    await two.ask('release', path)
    await until('the other one is named', () => owners.at(-1) === one.pid)
    abort.abort(new Error('seen enough'))
    await expect(waiting).rejects.toThrow('seen enough')
    await one.ask('release', path)
  })

  describe.skipIf(missing('flock(1)'))('with flock(1) on the same file', () => {
    let outside: ChildProcess | undefined
    const file = (): string => makeLocker(name).lockPath(path)
    const flockNow = (mode: string): number | null => spawnSync('flock', [mode, '-n', file(), 'true']).status

    async function flockHolds(mode: string): Promise<() => Promise<unknown>> {
      writeFileSync(file(), '')
      const holder = spawn('flock', [mode, file(), 'sh', '-c', 'echo held; exec cat'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      outside = holder
      await once(holder.stdout, 'data')
      return () => {
        holder.stdin.end()
        return once(holder, 'exit')
      }
    }
    afterEach(() => outside?.kill('SIGKILL'))

    test('what we share, it can share and not have alone; what we have alone, it cannot share', async () => {
      const locker = makeLocker(name)
      const sharing = await locker.acquire(path, shared)
      expect([flockNow('-s'), flockNow('-x')]).toEqual([0, 1])
      await sharing.release()
      const alone = await locker.acquire(path)
      expect([flockNow('-s'), flockNow('-x')]).toEqual([1, 1])
      await alone.release()
      expect([flockNow('-s'), flockNow('-x')]).toEqual([0, 0])
    })

    test('what it shares, we can share and not have alone; what it has alone, we cannot share', async () => {
      const locker = makeLocker(name)
      const endShared = await flockHolds('-s')
      await (await locker.acquire(path, { ...shared, ...now })).release()
      const exclusive = locker.acquire(path)
      await until('we wait in the kernel', () => childrenOf(process.pid).some(({ name }) => name === 'flock'))
      await endShared()
      await (await exclusive).release()

      const endAlone = await flockHolds('-x')
      await expect(locker.acquire(path, { ...shared, ...now })).rejects.toMatchObject(busy)
      let waits = false
      const impatient = makeLocker(name, { host: impatientHost(50) })
      const sharing = impatient.acquire(path, { ...shared, onWait: () => (waits = true) })
      await until('we wait', () => waits)
      await endAlone()
      expect((await sharing).waited).toBe(true)
      await (await sharing).release()
    })
  })
})
