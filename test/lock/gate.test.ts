/** The gate's certificate of death: behind which gate it counts. */
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { LatchError } from '../../src/core/errors.js'
import { gateDirectory } from '../../src/host/directories.js'
import { realHost } from '../../src/host/host.js'
import { openGate } from '../../src/lock/gate.js'
import { useLockDirectory } from '../support/lock-directory.js'
import { makeLocker } from '../support/lockers.js'
import { useWorkers } from '../support/use-workers.js'

const directory = useLockDirectory()
const startWorker = useWorkers()
/** Nobody in these tests is succeeded because its heart stands still. */
const NEVER_STALE_MS = 24 * 60 * 60 * 1000

test('a cleaner that deletes the file of a gate does not make its holder a dead one', async () => {
  const path = `${directory()}/model`
  await using holder = await makeLocker('lockfile').acquire(path)
  const gates = gateDirectory()
  const deleted = readdirSync(gates).filter((name) => name.endsWith('.lock'))
  expect(deleted).toHaveLength(1)
  for (const name of deleted) rmSync(`${gates}/${name}`)

  const another = makeLocker('lockfile').acquire(path, { timeoutMs: 0 })
  expect(
    await another.then(
      () => 'it got in',
      ({ code }: LatchError) => code,
    ),
  ).toBe('WAIT_TIMEOUT')
  await holder.release()
  await using next = await makeLocker('lockfile').acquire(path, { timeoutMs: 0 })
  expect(next.waited).toBe(false)
})

test('a cleaner that deletes the directory of the gates is no reason to have no lock', async () => {
  const locker = makeLocker('lockfile')
  const path = `${directory()}/model`
  await (await locker.acquire(path)).release()
  rmSync(gateDirectory(), { recursive: true })
  await using holder = await locker.acquire(path, { timeoutMs: 0 })
  expect(readdirSync(gateDirectory())).not.toEqual([])
  expect(holder.waited).toBe(false)
})

test('who is killed while it holds is succeeded on its own host at once: the gate certifies its death', async () => {
  const path = `${directory()}/model`
  const holder = startWorker('locker', ['lockfile', String(NEVER_STALE_MS)])
  await holder.ask('acquire', path)
  await holder.kill()
  await using next = await makeLocker('lockfile', { staleMs: NEVER_STALE_MS }).acquire(path)
  expect(next.signal.aborted).toBe(false)
})

test('a directory of gates that is on a network, where a lock proves nothing about another host, is not used', async () => {
  const host = realHost()
  const elsewhere = {
    ...host,
    inspect: () => ({ ...host.inspect('/'), type: 'nfs4', locality: 'network' as const }),
  }
  const gates = `${directory()}/gates`
  expect(await openGate(elsewhere, gates)).toBeNull()
  expect(await openGate(host, gates)).not.toBeNull()
})

test('a directory of gates that others may write to is not used: they could certify the death of the living', async () => {
  const gates = `${directory()}/gates`
  mkdirSync(gates)
  for (const mode of [0o777, 0o770, 0o707, 0o1777]) {
    chmodSync(gates, mode)
    expect(await openGate(realHost(), gates), mode.toString(8)).toBeNull()
  }
  chmodSync(gates, 0o755)
  expect(await openGate(realHost(), gates)).not.toBeNull()
})
