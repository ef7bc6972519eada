/** The kernel lock where its file goes away, where it is handed on, and where the kernel excludes nobody. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { directDisk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { chooseLocker } from '../../src/lock/choose.js'
import { readOwner } from '../../src/lock/owner-record.js'
import { impatientHost } from '../support/hosts.js'
import { makeLocker } from '../support/lockers.js'
import { missing } from '../support/needs.js'
import { childrenOf } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const now = { timeoutMs: 0 }
const busy = { code: 'WAIT_TIMEOUT' }

test('a lock file that was deleted between two holds is no lock any more, though it is still open', async () => {
  const path = `${scratch()}/model`
  const [first, second] = [makeLocker('kernel'), makeLocker('kernel')]
  await (await first.acquire(path)).release()
  rmSync(`${path}.lock`)
  await using held = await second.acquire(path)
  await expect(first.acquire(path, now)).rejects.toMatchObject(busy)
  expect(held.signal.aborted).toBe(false)
})

test.skipIf(missing('linux', 'flock(1)'))(
  'who waited for a lock file that was deleted meanwhile waits for the new one',
  async () => {
    const path = `${scratch()}/model`
    const holder = await makeLocker('kernel').acquire(path)
    let isIn = false
    const waiting = makeLocker('kernel')
      .acquire(path)
      .then((lease) => {
        isIn = true
        return lease
      })
    const helper = (): number | undefined => childrenOf(process.pid).find(({ name }) => name === 'flock')?.pid
    const first = await until('it waits', helper)
    rmSync(`${path}.lock`)
    const next = await makeLocker('kernel').acquire(path)
    await holder.release()
    await until('it waits anew, or is in', () => isIn || (helper() ?? first) !== first)
    expect(isIn).toBe(false)
    await next.release()
    await (await waiting).release()
  },
)

test('a lock that was handed on is held by whoever inherited it, also when we let go', async () => {
  const path = `${scratch()}/model`
  const lease = await makeLocker('kernel').acquire(path)
  const child = spawn('sleep', ['600'], { stdio: ['ignore', 'ignore', 'ignore', lease.handOn()!] })
  await once(child, 'spawn')
  await lease.release()
  await expect(makeLocker('kernel').acquire(path, now)).rejects.toMatchObject(busy)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await makeLocker('kernel').acquire(path, now)).release()
})

test('a holder that has lost its lock leaves the record of its successor', async () => {
  const path = `${scratch()}/model`
  const lost = await makeLocker('kernel', { host: impatientHost(100) }).acquire(path, { announce: true })
  const told = once(lost.signal, 'abort')
  rmSync(`${path}.lock`)
  await told
  await using next = await makeLocker('kernel').acquire(path, { announce: true, label: 'the next' })
  await until('it is on record', async () => (await readOwner(directDisk, path))?.label === 'the next')
  await lost.release()
  expect((await readOwner(directDisk, path))?.label).toBe('the next')
  expect(next.signal.aborted).toBe(false)
})

describe('a kernel that lets everybody in', () => {
  const real = realHost()
  const native = real.native && { ...real.native, flock: () => true }

  test.skipIf(native === null)('is found out before it is trusted', async () => {
    const choice = await chooseLocker({ ...real, native }, directDisk, scratch())
    expect(choice).toMatchObject({ kind: 'lockfile', reason: expect.stringContaining('excludes nobody') })
  })
})
