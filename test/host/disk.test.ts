/** The invariants of the disk: nothing is created over what is there, and nothing is read but files. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Disk, directDisk, pooledDisk } from '../../src/host/disk.js'
import { realLockFiles } from '../../src/host/lock-file.js'
import { readSmallFile } from '../../src/host/small-file.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()

describe.each<[string, Disk]>([
  ['directDisk', directDisk],
  ['pooledDisk', pooledDisk],
])('%s', (_name, disk) => {
  test('creates nothing where anything stands, and changes nothing of it', async () => {
    const directory = scratch()
    const at = (name: string): string => join(directory, name)
    for (const name of ['precious', 'copy']) writeFileSync(at(name), name)
    symlinkSync(at('precious'), at('link'))
    symlinkSync(at('nowhere'), at('dangling'))
    for (const name of ['precious', 'link', 'dangling']) {
      await expect(disk.createExclusive(at(name), 0o666), name).rejects.toMatchObject({ code: 'EEXIST' })
      await expect(disk.copy(at('copy'), at(name)), name).rejects.toMatchObject({ code: 'EEXIST' })
      await expect(disk.mkdir(at(name)), name).rejects.toMatchObject({ code: 'EEXIST' })
      await expect(disk.symlink('x', at(name)), name).rejects.toMatchObject({ code: 'EEXIST' })
      await expect(disk.link(at('copy'), at(name)), name).rejects.toMatchObject({ code: 'EEXIST' })
    }
    expect(readFileSync(at('precious'), 'utf8')).toBe('precious')
    expect(existsSync(at('nowhere'))).toBe(false)
  })

  test('reads no link: what it leads to was chosen by somebody else', async () => {
    const directory = scratch()
    writeFileSync(join(directory, 'secret'), 'secret')
    symlinkSync(join(directory, 'secret'), join(directory, 'link'))
    await expect(disk.openRead(join(directory, 'link'))).rejects.toMatchObject({ code: 'ELOOP' })
  })

  test('waits for nobody at a FIFO', async () => {
    const fifo = join(scratch(), 'fifo')
    execFileSync('mkfifo', [fifo])
    let fd: number | undefined
    const opening = disk.openRead(fifo).then((opened) => (fd = opened))
    // In the pool, others' calls pass one that waits: after a thousand of them, it waits.
    const waits = (): boolean => fd === undefined
    for (let calls = 0; calls < 1_000 && waits(); calls++) await pooledDisk.lstat(fifo)
    const waited = waits()
    if (waited) closeSync(openSync(fifo, 'r+'))
    await disk.close(await opening)
    expect(waited).toBe(false)
  })

  test('takes neither a FIFO nor a directory for a record', async () => {
    const directory = scratch()
    execFileSync('mkfifo', [join(directory, 'fifo')])
    mkdirSync(join(directory, 'directory'))
    for (const name of ['fifo', 'directory'])
      await expect(readSmallFile(disk, join(directory, name), 100), name).rejects.toMatchObject({
        code: 'UNSAFE_PATH',
      })
  })

  test('reads a record up to its limit; a record that is too long is refused unread', async () => {
    const path = join(scratch(), 'record')
    writeFileSync(path, 'x'.repeat(100))
    expect(await readSmallFile(disk, path, 100)).toHaveLength(100)
    // Sparse: it takes no room here, and would in memory.
    truncateSync(path, 2 ** 40)
    await expect(readSmallFile(disk, path, 100)).rejects.toMatchObject({ code: 'UNSAFE_PATH' })
  })
})

test('a lock file is opened, and made, but never through a link', () => {
  const directory = scratch()
  const at = (name: string): string => join(directory, name)
  writeFileSync(at('precious'), '')
  symlinkSync(at('precious'), at('link'))
  symlinkSync(at('nowhere'), at('dangling'))
  closeSync(realLockFiles.open(at('lock')).fd)
  closeSync(realLockFiles.open(at('lock')).fd)
  for (const name of ['link', 'dangling'])
    expect(() => realLockFiles.open(at(name)), name).toThrow(
      expect.objectContaining({ code: 'UNSAFE_PATH' }) as Error,
    )
  expect(existsSync(at('nowhere'))).toBe(false)
})
