/** What is wrong with a directory is found, by doctor, with nothing left behind. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { complaints, doctor, doctorAs, levelOf } from '../support/doctor.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { below } from '../support/tree.js'

const scratch = useScratch()
const mounts = useMounts()
const NOBODY = 65_534

function fillUp(directory: string): void {
  try {
    for (let n = 0; ; n++) writeFileSync(join(directory, `filler-${n}`), Buffer.alloc(64 * 1024))
  } catch {
    // Full.
  }
}

test('a directory that is not there: the one above it is tried, and neither is changed', async () => {
  const base = scratch()
  const root = join(base, 'a/b')
  const { code, report } = await doctor(root)
  expect(report).toMatchObject({ root, exists: false, locker: { kernel: { excludes: true } } })
  expect(levelOf(report, 'missing')).toEqual(['note'])
  expect(levelOf(report, 'rename-refused')).toEqual(['ok'])
  expect(code).toBe(0)
  expect(below(base)).toEqual([])
})

test('a file where the directory should be', async () => {
  const file = join(scratch(), 'file')
  writeFileSync(file, '')
  const { code, report } = await doctor(file)
  expect(levelOf(report, 'unreachable')).toEqual(['problem'])
  expect(code).toBe(1)
})

test('a healthy cache: nothing to complain of, and not one byte of it is changed', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  await (await cache.getOrCompile('k', ({ dir }) => writeFileSync(join(dir, 'f'), 'x'))).release()
  const before = below(root)
  const { code, report } = await doctor(root)
  expect(report).toMatchObject({ exists: true, locker: { chosen: 'kernel', recorded: 'kernel' } })
  expect(complaints(report)).toEqual([])
  expect(report.verdict).toBe(
    'All is well; the cache uses the kernel lock, and it excludes between processes.',
  )
  expect(code).toBe(0)
  expect(below(root)).toEqual(before)
})

describe.skipIf(missing('mount tmpfs'))('a disk that refuses:', () => {
  test('read-only without a cache is a problem, with one a warning; the locks are told all the same', async () => {
    const root = mounts.tmpfs('size=1g')
    mounts.remount(root, 'ro')
    const empty = await doctor(root)
    expect(levelOf(empty.report, 'writable')).toEqual(['problem'])
    expect(empty.code).toBe(1)

    mounts.remount(root, 'rw')
    await openCache(root, { strict: true })
    mounts.remount(root, 'ro')
    const { code, report } = await doctor(root)
    expect(complaints(report)).toEqual(['writable'])
    expect(report.locker).toMatchObject({ recorded: 'kernel', kernel: { excludes: true } })
    expect(code).toBe(0)
  })

  test.each([
    ['bytes', 'size=4m'],
    ['inodes', 'size=64m,nr_inodes=30'],
  ])('full, without %s: a problem, and the only one', async (_name, options) => {
    const root = mounts.tmpfs(options)
    await openCache(root, { strict: true })
    fillUp(root)
    const before = below(root)
    const { code, report } = await doctor(root)
    expect(report.findings.filter(({ level }) => level === 'problem').map(({ id }) => id)).toEqual(['space'])
    expect(report.locker!.kernel.excludes).toBe(true)
    expect(code).toBe(1)
    expect(below(root)).toEqual(before)
  })

  test('a part of the cache on another file system', async () => {
    const root = scratch()
    await openCache(root, { strict: true })
    mounts.tmpfs('size=4m', join(root, 'v1/stage'))
    const { code, report } = await doctor(root)
    expect(levelOf(report, 'cross-device')).toEqual(['problem'])
    expect(code).toBe(1)
  })

  test('mounted noexec: what is compiled cannot be loaded', async () => {
    const { report } = await doctor(mounts.tmpfs('size=1g,noexec'))
    expect(levelOf(report, 'mount-option')).toEqual(['warning'])
  })
})

describe.skipIf(missing('root'))('permissions:', () => {
  /** In a directory that everybody may enter. */
  function ownedBy(uid: number, mode: number): string {
    const directory = scratch()
    chmodSync(join(directory, '..'), 0o755)
    chownSync(directory, uid, uid)
    chmodSync(directory, mode)
    return directory
  }

  test('a user who may only read: a problem without a cache, a warning with one', async () => {
    const root = ownedBy(0, 0o755)
    const cold = await doctorAs(root, { uid: NOBODY })
    expect(levelOf(cold.report, 'writable')).toEqual(['problem'])
    expect(cold.report.locker).toMatchObject({ kernel: { excludes: true }, lockfile: { excludes: null } })
    await openCache(root, { strict: true })
    const warm = await doctorAs(root, { uid: NOBODY })
    expect(complaints(warm.report)).toEqual(['writable'])
    expect([cold.code, warm.code]).toEqual([1, 0])
  })

  test('a user who may not even look', async () => {
    const root = ownedBy(0, 0o700)
    const { code, report } = await doctorAs(root, { uid: NOBODY })
    expect(levelOf(report, 'writable')).toEqual(['problem'])
    expect(report.verdict).toMatch(/could not be measured/)
    expect(code).toBe(1)
  })

  test('who may write only inside of the cache is probed for there', async () => {
    const root = ownedBy(0, 0o755)
    await openCache(root, { strict: true })
    execFileSync('chown', ['-R', `${NOBODY}`, join(root, 'v1')])
    const before = below(root)
    const { report } = await doctorAs(root, { uid: NOBODY })
    expect(levelOf(report, 'writable')).toEqual(['ok'])
    expect(report.locker).toMatchObject({ kernel: { excludes: true }, lockfile: { excludes: true } })
    expect(below(root)).toEqual(before)
  })

  test('open to all without the sticky bit is a warning; with it, it is none', async () => {
    const root = ownedBy(0, 0o777)
    expect(levelOf((await doctor(root)).report, 'world-writable')).toEqual(['warning'])
    chmodSync(root, 0o1777)
    expect(levelOf((await doctor(root)).report, 'world-writable')).toEqual([])
  })

  test('a umask that hides from others what is published for them', async () => {
    const root = ownedBy(0, 0o1777)
    const old = process.umask(0o077)
    try {
      expect(levelOf((await doctor(root)).report, 'umask')).toEqual(['warning'])
    } finally {
      process.umask(old)
    }
    expect(levelOf((await doctor(root)).report, 'umask')).toEqual([])
  })
})
