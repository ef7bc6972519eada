/**
 * A slot whose lock was deleted may have another worker by now. Simulated worlds have found it (seed 126 as they were
 * then): two wrappers leased one slot, and either would have published what the other's worker was writing.
 */
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { markOf } from '../../src/latch/slot-claims.js'
import { createKernelLocker } from '../../src/lock/kernel.js'
import type { Lease, Locker } from '../../src/lock/locker.js'
import { impatientHost } from '../support/hosts.js'
import { useScratch } from '../support/scratch.js'
import { generationsIn, prepareTestWorker, runTestWorker } from '../support/slot-workers.js'

const scratch = useScratch()
const host = impatientHost(100)
const real = createKernelLocker(host, host.directDisk)

/** Somebody deletes the lock's file, and its holder finds out, as it does within a second. */
async function deleteLock(lease: Lease): Promise<void> {
  const { signal } = lease
  rmSync(real.lockPath(lease.path))
  if (!signal.aborted) await once(signal, 'abort')
}

/** The real one; `taken` hears of each lease of a slot before it is handed out. */
function toldLocker(taken: (lease: Lease) => Promise<void>): Locker {
  return {
    ...real,
    async acquire(path, options) {
      const lease = await real.acquire(path, options)
      if (path.includes('/slot-')) await taken(lease)
      return lease
    },
  }
}

test('the lock of a slot is deleted while its worker runs: nothing of the slot is published, and it is not taken for whole', async () => {
  const cache = scratch()
  const leases: Lease[] = []
  const locker = toldLocker(async (lease) => void leases.push(lease))
  const worker = await prepareTestWorker(cache, { locker }, host)
  worker.write('groups/g/k', 'perhaps half of what another writes')
  await deleteLock(leases[0]!)
  await worker.ended(0)
  expect(await generationsIn(cache)).toEqual({})
  expect(existsSync(markOf(worker.path))).toBe(false)
})

test('the lock of a slot is deleted before its worker is started: it is given another directory, and the slot is left alone', async () => {
  const cache = scratch()
  const first = await runTestWorker(cache, (worker) => worker.write('groups/g/k', 'kept'), {}, host)
  const worker = await prepareTestWorker(cache, { locker: toldLocker(deleteLock) }, host)
  expect(worker.slot).toBeNull()
  expect(worker.saw('worker-degraded')).toHaveLength(1)
  expect(existsSync(join(first.path, 'groups/g/k'))).toBe(true)
  await worker.ended(0)
})
