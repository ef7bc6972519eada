/** The contract of src/lock/locker.ts among real processes. */
import { beforeEach, describe, expect, test } from 'vitest'
import { ACROSS_PROCESSES } from '../support/lockers.js'
import { missing } from '../support/needs.js'
import { childrenOf, commandLineOf, isAlive } from '../support/proc.js'
import { useLockDirectory } from '../support/lock-directory.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import type { WorkerProcess } from '../support/worker-process.js'
import { HAS_TWO_HOSTS } from '../support/workplace.js'

const lockDirectory = useLockDirectory()
const startWorker = useWorkers()
let path: string

beforeEach(() => {
  path = `${lockDirectory()}/model`
})

describe.each(ACROSS_PROCESSES)('%s', (name) => {
  const start = (): WorkerProcess => startWorker('locker', [name])
  /** On another host, a lockfile's waiter is alone at its gate, and polls. */
  const waitsForNeighbour = name !== 'lockfile without a gate' && !(name === 'lockfile' && HAS_TWO_HOSTS)
  /** The helper that waits: not one that only tries (`-n`), nor that is asked whether it is there. */
  const waitsInKernel = (worker: WorkerProcess): number | undefined =>
    childrenOf(worker.pid).find(
      ({ pid, name }) => name === 'flock' && /^flock\0-[xs]\0\d/.test(commandLineOf(pid)),
    )?.pid

  test('of four processes that go in and out, no two are ever inside', async () => {
    const workers = [start(), start(), start(), start()]
    const rounds = name === 'kernel' ? 200 : 25
    const encounters = await Promise.all(workers.map((worker) => worker.ask('contend', path, rounds)))
    expect(encounters).toEqual([0, 0, 0, 0])
  })

  test('a waiter gets the lock when the holder releases', async () => {
    const [holder, waiter] = [start(), start()]
    expect(await holder.ask('acquire', path)).toBe(false)
    const waiting = waiter.ask('acquire', path)
    await expect(start().ask('acquire', path, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
    })
    if (waitsForNeighbour) await until('the waiter waits', () => waitsInKernel(waiter))
    await holder.ask('release', path)
    if (waitsForNeighbour) expect(await waiting).toBe(true)
    else await waiting
  })

  test('a waiter gets the lock when the holder is killed', async () => {
    const [holder, waiter] = [start(), start()]
    await holder.ask('acquire', path)
    const waiting = waiter.ask('acquire', path)
    await holder.kill()
    expect(await waiting).toBeTypeOf('boolean')
    await expect(start().ask('acquire', path, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
    })
  })

  test.skipIf(!waitsForNeighbour || missing('setpriv --pdeathsig'))(
    'of a waiter that is killed, not even the helper stays',
    async () => {
      const [holder, waiter] = [start(), start()]
      await holder.ask('acquire', path)
      void waiter.ask('acquire', path)
      const helper = await until('the waiter waits in the kernel', () => waitsInKernel(waiter))
      await waiter.kill()
      await until('the helper is gone', () => !isAlive(helper))
      await holder.ask('release', path)
      expect(await start().ask('acquire', path, { timeoutMs: 0 })).toBe(false)
    },
  )

  test.runIf(name.startsWith('kernel'))(
    'a lock that was handed on lives until the child is gone, whoever dies first',
    async () => {
      const busy = { code: 'WAIT_TIMEOUT' }
      const [parent, other] = [start(), start()]
      await parent.ask('acquire', path)
      await parent.ask('handOn', path)
      await parent.ask('release', path)
      await expect(other.ask('acquire', path, { timeoutMs: 0 })).rejects.toMatchObject(busy)
      await parent.ask('endChild')
      expect(await other.ask('acquire', path, { timeoutMs: 0 })).toBe(false)

      const child = await other.ask<number>('handOn', path)
      await other.kill()
      try {
        await expect(parent.ask('acquire', path, { timeoutMs: 0 })).rejects.toMatchObject(busy)
        const waiting = parent.ask('acquire', path)
        process.kill(child, 'SIGKILL')
        expect(await waiting).toBeTypeOf('boolean')
      } finally {
        if (isAlive(child)) process.kill(child, 'SIGKILL')
      }
    },
  )
})
