/** What /proc tells of files that are open, against what the test knows to be open. */
import { spawn } from 'node:child_process'
import { closeSync, linkSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type OpenFile, findOpenFiles } from '../../src/host/open-files.js'
import { realHost } from '../../src/host/host.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()

async function usersOf(path: string): Promise<OpenFile[]> {
  const found = await findOpenFiles((seen) => (seen.endsWith('/wanted') ? path : null))
  return found!.files
}

describe.skipIf(missing('linux'))('', () => {
  test('who reads, who writes, who holds a lock; and a file of the same name elsewhere is another', async () => {
    const path = join(scratch(), 'wanted')
    const elsewhere = join(scratch(), 'wanted')
    for (const each of [path, elsewhere]) writeFileSync(each, '')
    const other = openSync(elsewhere, 'r+')
    const use = { path, pid: process.pid, writes: false, lock: null, takenBy: null }
    expect(await usersOf(path)).toEqual([])
    const reading = openSync(path, 'r')
    expect(await usersOf(path)).toEqual([use])
    const writing = openSync(path, 'a')
    expect(await usersOf(path)).toEqual(expect.arrayContaining([use, { ...use, writes: true }]))
    closeSync(writing)
    realHost().native!.flock(reading, 'shared')
    expect(await usersOf(path)).toEqual([{ ...use, lock: 'shared', takenBy: process.pid }])
    realHost().native!.flock(reading, 'exclusive')
    expect(await usersOf(path)).toEqual([{ ...use, lock: 'exclusive', takenBy: process.pid }])
    closeSync(reading)
    closeSync(other)
  })

  test('another process, also one that has the lock from this one', async () => {
    const path = join(scratch(), 'wanted')
    writeFileSync(path, '')
    const fd = openSync(path, 'r')
    realHost().native!.flock(fd, 'exclusive')
    const child = spawn('sleep', ['600'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
    await new Promise((resolve) => child.once('spawn', resolve))
    closeSync(fd)
    const use = { path, writes: false, lock: 'exclusive', takenBy: process.pid }
    expect(await usersOf(path)).toEqual([{ pid: child.pid, ...use }])
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(await usersOf(path)).toEqual([])
  })

  test('a file that has been deleted, or replaced, is not the one at the path', async () => {
    const path = join(scratch(), 'wanted')
    writeFileSync(path, '')
    const fd = openSync(path, 'r')
    linkSync(path, `${path}-kept`)
    unlinkSync(path)
    expect(await usersOf(path)).toEqual([])
    writeFileSync(path, '')
    expect(await usersOf(path)).toEqual([])
    renameSync(`${path}-kept`, path)
    closeSync(fd)
  })
})
