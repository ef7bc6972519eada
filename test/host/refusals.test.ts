/** What a server refuses with one word is told apart, and what sshfs remembers of another host's lock is asked anew. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { pooledDisk } from '../../src/host/disk.js'
import { HeldDirectory } from '../../src/lock/held-directory.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const mounts = useMounts()
const [OURS, THEIRS] = ['a'.repeat(32), 'b'.repeat(32)]

describe.skipIf(missing('root', 'sshfs and sshd'))('over sshfs', () => {
  test('a directory that is not replaced because it is not empty: ENOTEMPTY', async () => {
    const place = mounts.sshfs(scratch())
    for (const name of ['full', 'ours']) mkdirSync(`${place}/${name}`)
    writeFileSync(`${place}/full/f`, '')
    await expect(pooledDisk.rename(`${place}/ours`, `${place}/full`)).rejects.toMatchObject({
      code: 'ENOTEMPTY',
      cause: { code: 'EPERM' },
    })
  })

  test('who comes second to a lock is told that it is held, also with an old listing in hand', async () => {
    const directory = scratch()
    const [one, other] = [mounts.sshfs(directory), mounts.sshfs(directory)].map(
      (place) => new HeldDirectory(pooledDisk, `${place}/model`),
    )
    mkdirSync(`${directory}/model.held`)
    expect(await other!.holder()).toBe(null)
    expect(await one!.take(THEIRS)).toBe(true)
    expect(await other!.take(OURS)).toBe(false)
  })

  test('a lock that was released on another host is free at once', async () => {
    const directory = scratch()
    const [one, other] = [mounts.sshfs(directory), mounts.sshfs(directory)].map(
      (place) => new HeldDirectory(pooledDisk, `${place}/model`),
    )
    expect(await one!.take(THEIRS)).toBe(true)
    expect(await other!.holder()).toBe(THEIRS)
    expect(await one!.remove(THEIRS)).toBe(true)
    expect(await other!.holder()).toBe(null)
    expect(await other!.take(OURS)).toBe(true)
  })
})
