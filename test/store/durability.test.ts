/** What was reported published is on the device: in which order it is brought there, and what is counted before. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type Disk, directDisk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { placeFile } from '../../src/store/place.js'
import { fillFile, stageFile } from '../../src/store/stage.js'
import { inodeOf, recordedHost } from '../support/recorded-disk.js'
import { entryPath } from '../support/caches.js'
import { useScratch } from '../support/scratch.js'
import { below } from '../support/tree.js'

const scratch = useScratch()

function build({ dir }: { dir: string }): void {
  mkdirSync(join(dir, 'deep/deeper'), { recursive: true })
  for (const file of ['top', 'deep/middle', 'deep/deeper/bottom']) writeFileSync(join(dir, file), file)
}

/** An entry that has been published, and what was done for it. */
async function published(): Promise<{ root: string; entry: string; steps: string[]; renamed: number }> {
  const root = scratch()
  const { host, steps } = recordedHost()
  const cache = await openCacheOn(host, root, { strict: true })
  await (await cache.getOrCompile('key', build)).release()
  const entry = entryPath(root, 'key')
  return { root, entry, steps, renamed: steps.findIndex((step) => step.endsWith(` ${entry}`)) }
}

test('an entry: everything in it is on the device before it has its name', async () => {
  const { entry, steps, renamed } = await published()
  expect(renamed).toBeGreaterThan(0)
  for (const path of ['.', ...below(entry)]) {
    const inode = inodeOf(join(entry, path))
    const synced = steps.lastIndexOf(`sync ${inode}`, renamed)
    expect(synced, `${path} is brought to the device`).toBeGreaterThan(-1)
    expect(
      steps.slice(synced).filter((step) => step === `write ${inode}`),
      path,
    ).toEqual([])
  }
})

test('an entry: its name is on the device before it is reported, and that of all above it which may be new', async () => {
  const { root, entry, steps, renamed } = await published()
  const after = steps.slice(renamed)
  for (let above = dirname(entry); above.startsWith(root); above = dirname(above))
    expect(after, above).toContain(`sync ${inodeOf(above)}`)
})

test('a file: its bytes, and then its name, are on the device before it is reported', async () => {
  const directory = scratch()
  const { host, steps } = recordedHost()
  const disk = host.diskFor(host.inspect(directory))
  const [path, target] = [join(directory, 'stage'), join(directory, 'graph.bin')]
  const fd = await stageFile(disk, path, undefined)
  await fillFile(disk, fd, 'graph')
  await placeFile(disk, { path, fd }, target, directory)
  await disk.close(fd)
  const file = inodeOf(target)
  expect(steps).toEqual([
    `write ${file}`,
    `sync ${file}`,
    `rename ${path} ${target}`,
    `sync ${inodeOf(directory)}`,
  ])
})

/** Takes all, keeps half, and says nothing: so does a FUSE file system with a broken backend. */
function losingBytes(isLossy: (bytes: Uint8Array) => boolean): Disk {
  return {
    ...directDisk,
    write: (fd, bytes) => directDisk.write(fd, isLossy(bytes) ? bytes.subarray(0, bytes.length / 2) : bytes),
  }
}

test('a disk that loses bytes without an error: a file is not published', async () => {
  const directory = scratch()
  const fd = await stageFile(directDisk, join(directory, 'stage'), undefined)
  const lossy = losingBytes(() => true)
  await expect(fillFile(lossy, fd, 'x'.repeat(100))).rejects.toMatchObject({ code: 'DISK_ERROR' })
  await directDisk.close(fd)
})

test('a disk that loses bytes without an error: a manifest is not published', async () => {
  const lossy = losingBytes((bytes) => Buffer.from(bytes).includes('"buildMs"'))
  const root = scratch()
  const cache = await openCacheOn({ ...realHost(), diskFor: () => lossy }, root, { strict: true })
  await expect(cache.getOrCompile('key', build)).rejects.toMatchObject({ code: 'DISK_ERROR' })
  expect(readdirSync(join(root, 'v1/entries'))).toEqual([])
})

test('what NFS and FUSE keep of a deleted file, as long as it is open, is no part of an entry', async () => {
  const root = scratch()
  const cache = await openCacheOn(realHost(), root, { strict: true })
  const kept = ['.nfs000000000012d687000000a1', '.fuse_hidden0000000500000001']
  const entry = await cache.getOrCompile('key', ({ dir }) => {
    build({ dir })
    for (const name of kept) writeFileSync(join(dir, name), 'deleted')
  })
  for (const name of kept) rmSync(join(entry.path, name))
  expect(await cache.verify()).toMatchObject({ checked: 1, damaged: [] })
  await entry.release()
})
