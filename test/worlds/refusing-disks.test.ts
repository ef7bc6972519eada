/**
 * Disks that refuse: read-only, full, out of inodes, without permission. Files stay whole, errors say what to do, and
 * in the default mode a worker gets its compiled result all the same, with a warning.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Build, openCache, withLock, writeDirectory, writeFile } from '../../src/index.js'
import { useEvents } from '../support/events.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { leftIn } from '../support/tree.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'

const scratch = useScratch()
const mounts = useMounts()
const events = useEvents()
const start = useWorkers()

const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'ours')
const contentOf = (path: string): string => readFileSync(join(path, 'f'), 'utf8')
const hint = expect.stringMatching(/\w/) as string

/** Strict says what is wrong; the default gives a private result that is gone after its release, and a warning. */
async function expectDegradation(root: string, code: string, build: Build = fill): Promise<void> {
  const strictly = openCache(root, { strict: true }).then((cache) => cache.getOrCompile('cold', build))
  await expect(strictly).rejects.toMatchObject({ name: 'LatchError', code, hint })
  const entry = await (await openCache(root)).getOrCompile('cold', build)
  expect(entry.outcome).toBe('private')
  expect(contentOf(entry.path)).toBe('ours')
  expect(events('degraded')).toMatchObject([{ key: '"cold"', root, error: { code } }])
  await entry.release()
  expect(existsSync(entry.path)).toBe(false)
}

describe.skipIf(missing('mount tmpfs'))('read-only:', () => {
  test('an existing cache gives hits, and what is cold is compiled privately', async () => {
    const root = mounts.tmpfs()
    await (await openCache(root)).getOrCompile('warm', fill)
    mounts.remount(root, 'ro')
    const hit = await (
      await openCache(root, { strict: true })
    ).getOrCompile('warm', () => expect.unreachable())
    expect([hit.outcome, contentOf(hit.path)]).toEqual(['hit', 'ours'])
    await hit.release()
    await expectDegradation(root, 'READ_ONLY')
  })

  test('also with the lockfile locker, where a hit cannot be pinned', async () => {
    const root = mounts.tmpfs()
    await (await (await openCache(root, { locker: 'lockfile' })).getOrCompile('warm', fill)).release()
    mounts.remount(root, 'ro')
    const hit = await (
      await openCache(root, { strict: true })
    ).getOrCompile('warm', () => expect.unreachable())
    expect([hit.outcome, contentOf(hit.path)]).toEqual(['hit', 'ours'])
    expect(events('unpinned')).toHaveLength(1)
    await hit.release()
    await expectDegradation(root, 'READ_ONLY')
  })

  test('where there is no cache yet', async () => {
    const root = mounts.tmpfs()
    mounts.remount(root, 'ro')
    await expectDegradation(root, 'READ_ONLY')
  })

  test('a cache that becomes read-only while a build runs', async () => {
    const root = mounts.tmpfs()
    const build = async (stage: { dir: string }): Promise<void> => {
      // Busy as long as a file is open for writing: the owner record may just be.
      const remount = (): boolean => spawnSync('mount', ['-o', 'remount,ro', root]).status === 0
      if (stage.dir.startsWith(root)) await until('it is read-only', remount)
      fill(stage)
    }
    await openCache(root)
    await expectDegradation(root, 'READ_ONLY', build)
  })

  test('writes and locks fail with READ_ONLY', async () => {
    const root = mounts.tmpfs()
    mounts.remount(root, 'ro')
    const path = join(root, 'p')
    const readOnly = { code: 'READ_ONLY', hint }
    await expect(writeFile(path, 'x')).rejects.toMatchObject(readOnly)
    await expect(writeDirectory(path, () => undefined)).rejects.toMatchObject(readOnly)
    await expect(withLock(path, () => 1)).rejects.toMatchObject(readOnly)
  })
})

describe.skipIf(missing('mount tmpfs'))('full:', () => {
  const bytesFree = (path: string): number => statfsSync(path).bavail * statfsSync(path).bsize

  test.each<[string, () => Uint8Array | AsyncGenerator<Uint8Array>]>([
    ['bytes', () => new Uint8Array(8 * 1024 * 1024)],
    [
      'a stream',
      async function* () {
        for (let n = 0; n < 1024; n++) yield new Uint8Array(8 * 1024)
      },
    ],
  ])(
    'writeFile of %s fails with DISK_FULL, the old file stays whole, and nothing is left',
    async (_name, source) => {
      const directory = mounts.tmpfs('size=4m')
      const path = join(directory, 'p')
      await writeFile(path, 'the old one')
      const before = bytesFree(directory)
      await expect(writeFile(path, source())).rejects.toMatchObject({ code: 'DISK_FULL', hint })
      expect(readFileSync(path, 'utf8')).toBe('the old one')
      expect(leftIn(join(directory, '.cachelatch'))).toEqual([])
      expect(bytesFree(directory)).toBeGreaterThanOrEqual(before - 64 * 1024)
      await writeFile(path, 'the new one')
      expect(readFileSync(path, 'utf8')).toBe('the new one')
    },
  )

  test('writeDirectory fails with DISK_FULL, and the old directory stays whole', async () => {
    const directory = mounts.tmpfs('size=4m')
    const path = join(directory, 'd')
    await writeDirectory(path, (dir) => writeFileSync(join(dir, 'f'), 'old'))
    const big = (dir: string): void => writeFileSync(join(dir, 'f'), Buffer.alloc(8 * 1024 * 1024))
    await expect(writeDirectory(path, big, { ifExists: 'replace' })).rejects.toMatchObject({
      code: 'DISK_FULL',
    })
    expect(contentOf(path)).toBe('old')
    expect(leftIn(join(directory, '.cachelatch'))).toEqual([])
  })

  test.each<[string, (dir: string) => void]>([
    [
      'a build that writes by itself',
      (dir) => writeFileSync(join(dir, 'big'), Buffer.alloc(8 * 1024 * 1024)),
    ],
    [
      'a compiler that is a child process and only says exit 1',
      (dir) => execFileSync('sh', ['-c', 'head -c 8388608 /dev/zero > "$0/big" 2>/dev/null || exit 1', dir]),
    ],
  ])('%s: a private result', async (_name, write) => {
    const root = mounts.tmpfs('size=4m')
    await expectDegradation(root, 'DISK_FULL', (stage) => {
      write(stage.dir)
      fill(stage)
    })
    expect(leftIn(root)).toEqual([])
    expect(readdirSync(join(root, 'v1/attempts'))).toEqual([])
  })

  test('who waits for a build that found no space is not failed by it', async () => {
    const root = mounts.tmpfs('size=4m')
    const cache = await openCache(root)
    const build = (stage: { dir: string }): void => {
      writeFileSync(join(stage.dir, 'big'), Buffer.alloc(8 * 1024 * 1024))
      fill(stage)
    }
    const entries = await Promise.all([cache.getOrCompile('k', build), cache.getOrCompile('k', build)])
    expect(entries.map(({ outcome }) => outcome)).toEqual(['private', 'private'])
    await Promise.all(entries.map((entry) => entry.release()))
  })

  test('a build that is to blame itself is not run twice', async () => {
    const cache = await openCache(mounts.tmpfs('size=4m'))
    let builds = 0
    const failing = cache.getOrCompile('k', () => {
      builds++
      throw new Error('a type error in the model')
    })
    await expect(failing).rejects.toThrow('a type error in the model')
    expect(builds).toBe(1)
  })

  test('out of inodes', async () => {
    const root = mounts.tmpfs('size=64m,nr_inodes=40')
    const cache = await openCache(root)
    await cache.getOrCompile('warm', fill)
    const path = join(root, 'p')
    await writeFile(path, 'old')
    for (let n = 0; ; n++) {
      try {
        writeFileSync(join(root, `filler-${n}`), '')
      } catch {
        break
      }
    }
    expect((await cache.getOrCompile('warm', fill)).outcome).toBe('hit')
    await expect(writeFile(path, 'new')).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(readFileSync(path, 'utf8')).toBe('old')
    await expectDegradation(root, 'DISK_FULL')
  })
})

describe.skipIf(missing('root'))('without permission:', () => {
  const NOBODY = 65_534

  /** A directory of root's, in one that everybody may enter. */
  function rootsDirectory(): string {
    const directory = scratch()
    chmodSync(join(directory, '..'), 0o755)
    return directory
  }

  test('another user gets hits from a cache that it may only read, and a private result where it is cold', async () => {
    const root = rootsDirectory()
    const cache = await openCache(root)
    await (
      await cache.getOrCompile('warm', ({ dir }) => writeFileSync(join(dir, 'kernel.bin'), 'x'))
    ).release()
    const worker = start('latch', [], { NODE_NO_WARNINGS: '1' })
    await worker.ask('become', NOBODY)
    await worker.ask('open', root)
    expect(await worker.ask('compile', 'warm', {})).toMatchObject({ outcome: 'hit' })
    expect(await worker.ask('compile', 'cold', {})).toMatchObject({ outcome: 'private', whole: true })
    expect(await worker.ask('fail', 'cold', {}, { strict: true })).toMatchObject({
      code: 'NO_PERMISSION',
      hint,
    })
    expect(leftIn(root)).toEqual([])
  })

  test('a cache that it may not even look into', async () => {
    const root = rootsDirectory()
    await openCache(root)
    chmodSync(root, 0o700)
    const worker = start('latch', [], { NODE_NO_WARNINGS: '1' })
    await worker.ask('become', NOBODY)
    await worker.ask('open', root)
    expect(await worker.ask('compile', 'cold', {})).toMatchObject({ outcome: 'private', whole: true })
    expect(await worker.ask('fail', 'cold', {}, { strict: true })).toMatchObject({ code: 'NO_PERMISSION' })
  })

  test('writing beside a file of another user fails with NO_PERMISSION', async () => {
    const directory = rootsDirectory()
    await writeFile(join(directory, 'p'), 'old')
    const worker = start('latch')
    await worker.ask('become', NOBODY)
    await expect(worker.ask('write', join(directory, 'p'), 'new')).rejects.toMatchObject({
      code: 'NO_PERMISSION',
    })
    expect(readFileSync(join(directory, 'p'), 'utf8')).toBe('old')
  })

  test('two users share a cache whose directories both may write to', async () => {
    const root = rootsDirectory()
    execFileSync('chmod', ['1777', root])
    const old = process.umask(0)
    try {
      await openCache(root)
    } finally {
      process.umask(old)
    }
    const worker = start('latch')
    await worker.ask('become', NOBODY)
    await worker.ask('open', root, { strict: true })
    expect(await worker.ask('compile', 'theirs', {})).toMatchObject({ outcome: 'compiled' })
    const cache = await openCache(root, { strict: true })
    expect((await cache.getOrCompile('theirs', fill)).outcome).toBe('hit')
    expect(
      (await cache.getOrCompile('ours', ({ dir }) => writeFileSync(join(dir, 'kernel.bin'), ''))).outcome,
    ).toBe('compiled')
    expect(await worker.ask('compile', 'ours', {})).toMatchObject({ outcome: 'hit' })
  })
})

test('a root that is a file, or below one, is no cache: an error with strict, else a private result', async () => {
  const directory = scratch()
  const file = join(directory, 'file')
  writeFileSync(file, '')
  for (const root of [file, join(file, 'below')]) {
    await expect(openCache(root, { strict: true })).rejects.toMatchObject({ name: 'LatchError', hint })
    const entry = await (await openCache(root)).getOrCompile('k', fill)
    expect(entry.outcome).toBe('private')
    await entry.release()
  }
  rmSync(file)
  mkdirSync(file)
  expect((await (await openCache(file)).getOrCompile('k', fill)).outcome).toBe('compiled')
})

test.skipIf(missing('mount tmpfs'))('a cache whose parts are on two file systems: CROSS_DEVICE', async () => {
  const root = scratch()
  await openCache(root, { strict: true })
  mounts.tmpfs('size=4m', join(root, 'v1/stage'))
  await expectDegradation(root, 'CROSS_DEVICE')
  expect(leftIn(root)).toEqual([])
})
