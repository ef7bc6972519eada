/** Errors that Node has no name for are told apart all the same. */
import { execFileSync } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { getSystemErrorName } from 'node:util'
import { describe, expect, test } from 'vitest'
import { errnoOf } from '../../src/host/disk-errors.js'
import { openCache, writeFile } from '../../src/index.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'

const mounts = useMounts()

test.each(['ESTALE', 'EDQUOT'] as const)('%s, as libuv reports it', (name) => {
  const errno = -constants.errno[name]
  const error = Object.assign(new Error('scandir'), { errno, code: getSystemErrorName(errno) })
  expect(errnoOf(error)).toBe(name)
})

describe.skipIf(missing('root', 'mkfs.ext4, mkfs.xfs and mkfs.btrfs'))('a quota that is used up', () => {
  test('is a full disk: a private result, and of a file the old content', async () => {
    const disk = mounts.disk('btrfs')
    const directory = join(disk, 'limited')
    const btrfs = (...args: string[]): unknown => execFileSync('btrfs', args, { stdio: 'ignore' })
    btrfs('quota', 'enable', disk)
    btrfs('subvolume', 'create', directory)
    btrfs('qgroup', 'limit', '4M', directory)
    const large = new Uint8Array(16 * 1024 * 1024)
    const path = join(directory, 'f')
    await writeFile(path, 'old')
    await expect(writeFile(path, large)).rejects.toMatchObject({ code: 'DISK_FULL' })
    const cache = await openCache(join(directory, 'cache'))
    const entry = await cache.getOrCompile('k', ({ dir }) => writeFile(join(dir, 'f'), large))
    expect(entry.outcome).toBe('private')
    await entry.release()
  })
})
