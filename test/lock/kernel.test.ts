/** The kernel lock where its file goes away, where it is handed on, and where the kernel excludes nobody. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { directDisk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { chooseLocker } from '../../src/lock/choose.js'
import type { Lease } from '../../src/lock/locker.js'
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

describe.skipIf(realHost().native === null)('taken again without a promise', () => {
  test('is the lock as it was let go a moment ago, and excludes others', async () => {
    const path = `${scratch()}/model`
    const [ours, theirs] = [makeLocker('kernel'), makeLocker('kernel')]
    expect(ours.acquireAgain!(path, {})).toBe(null)
    await (await ours.acquire(path)).release()
    await using again = ours.acquireAgain!(path, {})
    expect(again).toMatchObject({ path, waited: false })
    await expect(theirs.acquire(path, now)).rejects.toMatchObject(busy)
    expect(ours.acquireAgain!(path, {})).toBe(null)
  })

  test.each<[string, (path: string) => unknown]>([
    ['another holds it', (path) => makeLocker('kernel').acquire(path)],
    ['its file was deleted', (path) => rmSync(`${path}.lock`)],
    ['its directory was moved away', (path) => renameSync(dirname(path), `${dirname(path)}-old`)],
  ])('is refused where %s, and leaves nothing', async (_name, meanwhile) => {
    const path = `${scratch()}/locks/model`
    mkdirSync(dirname(path))
    const ours = makeLocker('kernel')
    await (await ours.acquire(path)).release()
    const held = await meanwhile(path)
    const before = readdirSync('/dev/fd').length
    expect(ours.acquireAgain!(path, {})).toBe(null)
    expect(existsSync(dirname(path)) && readdirSync(dirname(path)).length > 1).toBe(false)
    // The file that was kept is closed, and the queue is free.
    expect(readdirSync('/dev/fd').length).toBe(before - 1)
    if (held) await (held as Lease).release()
    mkdirSync(dirname(path), { recursive: true })
    await (await ours.acquire(path, now)).release()
  })

  test('says what cannot be, as the other way does', async () => {
    const path = `${scratch()}/model`
    const ours = makeLocker('kernel')
    await (await ours.acquire(path)).release()
    expect(() => ours.acquireAgain!(path, { timeoutMs: -1 })).toThrow(TypeError)
    expect(() => ours.acquireAgain!(path, { signal: AbortSignal.abort(new Error('enough')) })).toThrow(
      'enough',
    )
  })
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
  const terms = { announce: true, label: 'the first' }
  const lost = await makeLocker('kernel', { host: impatientHost(100) }).acquire(path, terms)
  const told = once(lost.signal, 'abort')
  // Or it is on its way still, and arrives after the successor's.
  await until('it is on record', async () => (await readOwner(directDisk, path))?.label === 'the first')
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
