/** The rename whose answer is lost, as an NFS server may do it, and the rename that failed: told apart. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Disk, directDisk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { placeDirectory, placeFile, replaceDirectory } from '../../src/store/place.js'
import { type Staged, stageDirectory, stageFile } from '../../src/store/stage.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const lost = (): Error => Object.assign(new Error('the answer was lost'), { code: 'EIO' })

/** Renames, and says that it has not. */
const forgetful: Disk = {
  ...directDisk,
  async rename(from, to) {
    await directDisk.rename(from, to)
    throw lost()
  },
}
/** Does not rename, and has removed what was to be renamed. */
const swallowing: Disk = {
  ...directDisk,
  async rename(from) {
    await directDisk.unlink(from)
    throw lost()
  },
}

async function stagedFile(directory: string): Promise<Staged> {
  const path = join(directory, 'stage')
  const fd = await stageFile(directDisk, path, undefined)
  await directDisk.write(fd, Buffer.from('new'))
  return { path, fd }
}

test('a file, a directory and an entry whose rename arrived are published, whatever the answer was', async () => {
  const directory = scratch()
  const target = join(directory, 'f')
  writeFileSync(target, 'old')
  const file = await stagedFile(directory)
  await placeFile(forgetful, file, target, directory)
  expect(readFileSync(target, 'utf8')).toBe('new')

  const stage = join(directory, 'stage')
  const tree = { path: stage, fd: await stageDirectory(directDisk, stage) }
  expect(await placeDirectory(forgetful, tree, join(directory, 'd'), directory)).toBe(true)
  await Promise.all([file, tree].map(({ fd }) => directDisk.close(fd)))

  const host = { ...realHost(), diskFor: () => forgetful }
  // The cache itself is made on a disk that answers.
  const root = scratch()
  await openCacheOn(realHost(), root, { strict: true })
  const cache = await openCacheOn(host, root, { strict: true })
  const entry = await cache.getOrCompile('key', ({ dir }) => writeFileSync(join(dir, 'f'), 'x'))
  expect(entry.outcome).toBe('compiled')
})

test('a rename that did not arrive is an error, although the stage is gone and an old file stands there', async () => {
  const directory = scratch()
  const target = join(directory, 'f')
  writeFileSync(target, 'old')
  const file = await stagedFile(directory)
  await expect(placeFile(swallowing, file, target, directory)).rejects.toMatchObject({ code: 'EIO' })
  expect(readFileSync(target, 'utf8')).toBe('old')
  await directDisk.close(file.fd)
})

test.each([
  ['in one call', realHost().native],
  ['by two renames, where the kernel cannot exchange', null],
])('a directory takes the place of another %s', async (_name, native) => {
  const directory = scratch()
  const make = async (name: string): Promise<Staged> => {
    const path = join(directory, name)
    const fd = await stageDirectory(directDisk, path)
    writeFileSync(join(path, 'f'), name)
    return { path, fd }
  }
  const [stage, old] = [await make('stage'), await make('old')]
  await replaceDirectory(directDisk, native, stage, old.path, directory)
  expect(readFileSync(join(old.path, 'f'), 'utf8')).toBe('stage')
  await Promise.all([stage, old].map(({ fd }) => directDisk.close(fd)))
})
