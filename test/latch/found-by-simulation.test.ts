/** What simulated worlds have found, each once more on a real disk: the seed is that of the world as it was then. */
import fs, { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Disk } from '../../src/host/disk.js'
import { type Host, realHost } from '../../src/host/host.js'
import { lockFilesOver } from '../../src/host/lock-file.js'
import { type Cache, openCacheOn } from '../../src/latch/cache.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()

/** @param change of every disk, which reads call by call */
function hostWith(change: (disk: Disk) => Partial<Disk>): Host {
  const real = realHost()
  const changed = (disk: Disk): Disk => ({ ...disk, inThread: undefined, ...change(disk) })
  return {
    ...real,
    pooledDisk: changed(real.pooledDisk),
    diskFor: (fileSystem) => changed(real.diskFor(fileSystem)),
  }
}

const failing = (code: string): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }))

async function compiled(cache: Cache): Promise<string> {
  const entry = await cache.getOrCompile('key', ({ dir }) => writeFileSync(`${dir}/out`, 'compiled'))
  await entry.release()
  return entry.path
}

const openFiles = (): number => readdirSync('/proc/self/fd').length

test('seed 213: a list that cannot be read says so as every other call does', async () => {
  const host = hostWith(() => ({ readdir: () => failing('EIO') }))
  const cache = await openCacheOn(host, scratch('cache'), { strict: true })
  await expect(cache.list().next()).rejects.toMatchObject({ code: 'DISK_ERROR' })
})

test.runIf(existsSync('/proc/self/fd'))(
  'seed 174: a file whose bytes cannot be read leaves the manifest open no longer',
  async () => {
    const root = scratch('cache')
    await compiled(await openCacheOn(realHost(), root, { strict: true }))
    const host = hostWith((disk) => ({
      openRead: (path) => (path.endsWith('/files/out') ? failing('EACCES') : disk.openRead(path)),
    }))
    const cache = await openCacheOn(host, root, { strict: true, check: 'hashes' })
    const before = openFiles()
    await expect(cache.get('key')).rejects.toMatchObject({ code: 'NO_PERMISSION' })
    expect(openFiles()).toBe(before)
  },
)

test('seed 63: a lock file that cannot be closed well ends no process', () => {
  const close = (fd: number): never => {
    fs.closeSync(fd)
    throw Object.assign(new Error('EIO'), { code: 'EIO' })
  }
  const calls = { open: fs.openSync, close, fstat: fs.fstatSync, lstat: fs.lstatSync }
  const files = lockFilesOver(calls)
  const file = files.open(`${scratch()}/lock`)
  expect(() => files.close(file)).not.toThrow()
})

test('seed 36: a cache whose draft is taken for one that a crash has left is created all the same', async () => {
  let taken = 0
  const host = hostWith((disk) => ({
    async mkdir(path, mode) {
      const draft = /^.*\/\.v1-[0-9a-f]{32}(?=\/trash$)/.exec(path)?.[0]
      if (draft !== undefined && taken++ === 0) rmSync(draft, { recursive: true })
      return disk.mkdir(path, mode)
    },
  }))
  await compiled(await openCacheOn(host, scratch('cache'), { strict: true }))
  expect(taken).toBe(2)
})

test('seed 1437: the record of a gc that waited for a pin, and was killed, is a leftover', async () => {
  const root = scratch('cache')
  const cache = await openCacheOn(realHost(), root, { strict: true, locker: 'lockfile' })
  await compiled(cache)
  const gone = { ...realHost().processes.asOwner(Date.now()), startTime: 'of another process' }
  const record = `${root}/v1/pins/${'0'.repeat(64)}.${'1'.repeat(32)}.waiting.${'2'.repeat(32)}.json`
  writeFileSync(record, JSON.stringify({ owner: gone, label: null, deadline: null }))
  expect(await cache.gc({ graceMs: 0 })).toMatchObject({ leftovers: 1 })
  expect(existsSync(record)).toBe(false)
})

test('seed 20833: an error that has passed sets no entry aside', async () => {
  const root = scratch('cache')
  const path = await compiled(await openCacheOn(realHost(), root, { strict: true }))
  let failures = 0
  let moves = 0
  const host = hostWith((disk) => ({
    openRead: (file) =>
      file.endsWith('/files/out') && failures++ < 2 ? failing('EIO') : disk.openRead(file),
    async rename(from, to) {
      if (to.includes('/trash/')) moves++
      return disk.rename(from, to)
    },
  }))
  const cache = await openCacheOn(host, root, { strict: true, check: 'hashes' })
  expect(await compiled(cache)).toBe(path)
  expect([failures > 1, moves]).toEqual([true, 0])
})

test('seed 176: what is reported published is brought to the device with all names up to the root', async () => {
  const synced: string[] = []
  const paths = new Map<number, string>()
  const host = hostWith((disk) => ({
    async openRead(path) {
      const fd = await disk.openRead(path)
      paths.set(fd, path)
      return fd
    },
    sync(fd) {
      synced.push(paths.get(fd) ?? '')
      return disk.sync(fd)
    },
  }))
  const root = scratch('cache')
  const cache = await openCacheOn(host, root, { strict: true })
  const entry = await compiled(cache)
  const shelf = entry.slice(0, entry.lastIndexOf('/', entry.length - '/files'.length - 1))
  expect(synced.slice(-4)).toEqual([shelf, `${root}/v1/entries`, `${root}/v1`, root])
})
