/** The gate's certificate of death: behind which gate it counts. */
import { readdirSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { LatchError } from '../../src/core/errors.js'
import { gateDirectory } from '../../src/host/directories.js'
import { useLockDirectory } from '../support/lock-directory.js'
import { makeLocker } from '../support/lockers.js'

const directory = useLockDirectory()

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
