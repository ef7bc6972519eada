/** doctor's verdict on locks, against what two processes of flock(1) do: it knows nothing of the library. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { doctor, levelOf } from '../support/doctor.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { below } from '../support/tree.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const mounts = useMounts()

/** Holds the lock in one directory and tries it in the other. */
function flockExcludes(first: string, second = first): boolean {
  writeFileSync(join(first, 'of-the-test'), '')
  const inner = ['flock', '-n', '-E', '9', join(second, 'of-the-test'), 'true']
  const { status } = spawnSync('flock', ['-n', '-E', '8', join(first, 'of-the-test'), ...inner])
  rmSync(join(first, 'of-the-test'))
  if (status !== 0 && status !== 9) throw new Error(`flock(1) ended with ${status}`)
  return status === 9
}

describe.skipIf(missing('root', 'bindfs', 'flock(1)', 'mount tmpfs', 'mkfs.ext4, mkfs.xfs and mkfs.btrfs'))(
  'doctor',
  () => {
    test.each<[string, string, () => string]>([
      ['ext4', 'kernel', () => mounts.disk('ext4')],
      ['xfs', 'kernel', () => mounts.disk('xfs')],
      ['btrfs', 'kernel', () => mounts.disk('btrfs')],
      ['tmpfs', 'kernel', () => mounts.tmpfs('size=1g')],
      ['overlay', 'kernel', () => mounts.overlay()],
      ['fuse', 'lockfile', () => mounts.bindfs(scratch())],
    ])('on %s: locks as measured, %s chosen, no problem, nothing left', async (type, chosen, make) => {
      const root = make()
      const before = below(root)
      const measured = flockExcludes(root)
      const { code, report } = await doctor(root)
      expect(report.fileSystem!.type).toBe(type)
      expect(report.locker).toMatchObject({ chosen, recorded: null, kernel: { excludes: measured } })
      expect(report.locker!.kernel.freedByDeath).toBe(true)
      expect(report.locker!.lockfile.excludes).toBe(true)
      expect(report.findings.filter(({ level }) => level === 'problem')).toEqual([])
      expect(code).toBe(0)
      expect(below(root)).toEqual(before)
      // What it would choose is what a cache gets.
      expect((await (await openCache(root, { strict: true })).locker()).kind).toBe(chosen)
    })

    test('shared blocks are told of where there are any', async () => {
      const [sharing, copying] = [await doctor(mounts.disk('btrfs')), await doctor(mounts.disk('ext4'))]
      expect(levelOf(sharing.report, 'reflinks')).toEqual(['ok'])
      expect(levelOf(copying.report, 'reflinks')).toEqual(['note'])
    })

    const two: [string, boolean, string, () => [string, string]][] = [
      ['two FUSE mounts', false, 'lockfile', () => twoOf((base) => mounts.bindfs(base))],
      [
        'two names of one ext4',
        true,
        'kernel',
        () => twoOf((base) => mounts.bind(base), mounts.disk('ext4')),
      ],
      ['two names of one tmpfs', true, 'kernel', () => twoOf((base) => mounts.bind(base), mounts.tmpfs())],
    ]

    function twoOf(mount: (base: string) => string, base = scratch()): [string, string] {
      mkdirSync(join(base, 'cache'))
      return [join(mount(base), 'cache'), join(mount(base), 'cache')]
    }

    test.each(two)(
      '--second, %s: whether flock excludes (%s) is as measured, and %s is right',
      async (_name, expected, right, make) => {
        const [first, second] = make()
        const measured = flockExcludes(first, second)
        expect(measured).toBe(expected)
        const { code, report } = await doctor(first, '--second', second)
        expect(report.second).toMatchObject({
          sameDirectory: true,
          sameMount: false,
          kernel: { excludes: measured },
          lockfile: { excludes: true },
          firstWins: true,
          right,
        })
        expect(report.second!.newNameMs).toBeGreaterThan(0)
        expect(report.verdict).toMatch(/excludes on both sides/)
        expect(code).toBe(0)
        expect(below(first)).toEqual([])
      },
    )

    test('--second, a directory and a FUSE mount of it: who comes first decides, and may be wrong', async () => {
      const base = scratch()
      const there = mounts.bindfs(base)
      expect(flockExcludes(base, there)).toBe(false)
      const { code, report } = await doctor(base, '--second', there)
      expect(report.second).toMatchObject({ kernel: { excludes: false }, right: 'lockfile' })
      expect(levelOf(report, 'right-locker')).toEqual(['problem'])
      expect(report.verdict).toMatch(/EXCLUDES NOBODY on both sides/)
      expect(code).toBe(1)

      await openCache(base, { locker: 'lockfile', strict: true })
      const again = await doctor(base, '--second', there)
      expect(levelOf(again.report, 'right-locker')).toEqual(['ok'])
      expect(again.code).toBe(0)
    })

    test('a cache that was created beside the mount with kernel locks is a problem, from the mount', async () => {
      const base = scratch()
      await openCache(base, { strict: true })
      const { code, report } = await doctor(mounts.bindfs(base))
      expect(report.locker).toMatchObject({ chosen: 'lockfile', recorded: 'kernel' })
      expect(levelOf(report, 'locker')).toEqual(['problem'])
      expect(code).toBe(1)
    })

    test.each(two)(
      'two doctors that meet, %s: both tell what is so',
      async (_name, _expected, right, make) => {
        const [first, second] = make()
        const measured = flockExcludes(first, second)
        const waiting = doctor(first, '--second', 'wait')
        await until('it waits', () => below(first).some((path) => path.endsWith('/held')))
        const visits = await Promise.all([waiting, doctor(second, '--second', 'answer')])
        for (const { code, report } of visits) {
          expect(report.second).toMatchObject({
            sameDirectory: true,
            kernel: { excludes: measured },
            lockfile: { excludes: true },
            firstWins: true,
            right,
          })
          expect(levelOf(report, 'right-locker')).toEqual(['ok'])
          expect(code).toBe(0)
        }
        expect(visits[0].stderr).toMatch(/cachelatch doctor --second answer/)
        expect(below(first)).toEqual([])
      },
    )

    test('an answer where nobody waits is a problem, and returns at once', async () => {
      const root = scratch()
      const { code, report } = await doctor(root, '--second', 'answer')
      expect(report.second).toMatchObject({ sameDirectory: false, kernel: null })
      expect(levelOf(report, 'same-directory')).toEqual(['problem'])
      expect(code).toBe(1)
    })

    test('--second, through a read-only mount, or on a full disk: what can be measured, is', async () => {
      const root = mounts.tmpfs('size=1m')
      const there = mounts.bind(root)
      mounts.remount(there, 'bind,ro')
      const { report } = await doctor(root, '--second', there)
      expect(report.second).toMatchObject({ kernel: { excludes: true }, firstWins: null, right: 'kernel' })
      expect(report.second!.lockfile!.excludes).toBeNull()

      mounts.remount(there, 'bind,rw')
      spawnSync('dd', ['if=/dev/zero', `of=${join(root, 'filler')}`], { stdio: 'ignore' })
      const full = await doctor(root, '--second', there)
      expect(full.report.second).toMatchObject({
        kernel: { excludes: true },
        firstWins: true,
        right: 'kernel',
      })
      expect(levelOf(full.report, 'space')).toEqual(['problem'])
      expect(below(root)).toEqual(['filler'])
    })

    test('--second, one mount: measured, and said to prove nothing', async () => {
      const base = mounts.tmpfs()
      const { report } = await doctor(base, '--second', base)
      expect(report.second).toMatchObject({ sameDirectory: true, sameMount: true, right: null })
      expect(levelOf(report, 'same-mount')).toEqual(['note'])
    })

    test.each<[string, boolean | null, (base: string) => string]>([
      ['another directory', false, () => scratch()],
      ['no directory', null, (base) => join(base, 'missing')],
    ])('--second, %s: a problem, and nothing is measured', async (_name, sameDirectory, other) => {
      const root = scratch()
      const { code, report } = await doctor(root, '--second', other(root))
      expect(report.second).toMatchObject({ sameDirectory, kernel: null, lockfile: null, right: null })
      expect(levelOf(report, 'same-directory')).toEqual(['problem'])
      expect(code).toBe(1)
      expect(below(root)).toEqual([])
    })
  },
)
