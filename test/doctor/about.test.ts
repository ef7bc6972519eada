/** What findings are made of: mount options, permissions, room and clocks as no test machine has them. */
import { describe, expect, test } from 'vitest'
import { nearest } from '../../src/core/nearest.js'
import { aboutClock, aboutPrimitive } from '../../src/doctor/about-calls.js'
import { aboutLocks, aboutSecond } from '../../src/doctor/about-locks.js'
import { aboutRoom } from '../../src/doctor/about-place.js'
import { aboutMountOptions } from '../../src/doctor/mount-options.js'
import { NOTHING_MEASURED } from '../../src/doctor/second.js'
import type { FileSystem } from '../../src/host/filesystem.js'
import type { Situation } from '../../src/host/situation.js'

const on = (type: string, ...options: string[]): FileSystem => ({
  type,
  locality: 'network',
  mountPoint: '/mnt',
  options,
})

describe('mount options', () => {
  test.each([
    [on('nfs4', 'rw', 'hard', 'vers=4.2'), []],
    [on('nfs', 'rw', 'nolock'), ['note']],
    [on('nfs', 'rw', 'local_lock=all'), ['note']],
    [on('nfs', 'rw', 'local_lock=none'), []],
    [on('nfs4', 'rw', 'soft'), ['warning']],
    [on('lustre', 'rw', 'localflock'), ['note']],
    [on('lustre', 'rw', 'flock'), []],
    [on('ext4', 'rw', 'noexec', 'nosuid'), ['warning']],
    [on('ext4', 'rw', 'data=writeback'), ['warning']],
    [on('ext4', 'rw', 'sync', 'rw', 'sync'), ['note']],
    [on('xfs', 'rw', 'soft', 'nolock'), []],
  ])('%j: %j', (fileSystem, levels) => {
    expect(aboutMountOptions(fileSystem).map(({ level }) => level)).toEqual(levels)
  })
})

describe('room', () => {
  const MB = 1024 * 1024
  const situation = (freeBytes: number, freeInodes: number | null): Situation => ({
    state: 'directory',
    errno: null,
    nearest: '/cache',
    fileSystem: on('ext4'),
    upper: null,
    freeBytes,
    freeInodes,
    uid: 0,
    umask: 0o022,
  })
  const nothingLeft = { stages: 0, trash: 0, drafts: 0 }
  const withLargest = (largestBytes: number) => ({
    format: null,
    formatError: null,
    entries: 1,
    bytes: largestBytes,
    largestBytes,
    damaged: 0,
    leftovers: nothingLeft,
  })

  test.each([
    ['plenty', 1000 * MB, 10_000, null, null, 'ok'],
    ['no inodes are counted', 1000 * MB, null, null, null, 'ok'],
    ['less than the largest entry', 1000 * MB, 10_000, withLargest(2000 * MB), null, 'warning'],
    ['little, but entries are small', 10 * MB, 10_000, withLargest(MB), null, 'ok'],
    ['little', 10 * MB, 10_000, null, null, 'warning'],
    ['few inodes', 1000 * MB, 20, null, null, 'warning'],
    ['no inodes', 1000 * MB, 0, null, null, 'problem'],
    ['free bytes, and a quota that is used up', 1000 * MB, 10_000, null, 'EDQUOT', 'problem'],
  ])('%s', (_name, bytes, inodes, contents, refused, level) => {
    expect(aboutRoom(situation(bytes, inodes), contents, refused).level).toBe(level)
  })
})

test('a clock that is ahead or behind: gc counts by it, locks never do', () => {
  expect([0, 5_000, -5_000, 45_000, -3_600_000].map((skewMs) => aboutClock(skewMs).level)).toEqual([
    'ok',
    'note',
    'note',
    'warning',
    'warning',
  ])
  expect(aboutClock(-3_600_000).detail).toContain('3600 s behind')
})

test('what must be there and is not, is a problem; a full disk is no proof of that', () => {
  const lacks = { can: false, detail: 'it was replaced', errno: null } as const
  expect(aboutPrimitive('rename-refused', lacks)?.level).toBe('problem')
  expect(aboutPrimitive('reflinks', { ...lacks, errno: 'ENOTSUP' })?.level).toBe('note')
  expect(aboutPrimitive('rename-refused', { ...lacks, errno: 'ENOSPC' })).toBeNull()
})

describe('a lock that lies', () => {
  const good = { excludes: true, reason: null, freedByDeath: true }
  const lies = { ...good, excludes: false }
  const levels = (recorded: string | null, kernel: typeof good, lockfile = good): (string | undefined)[] => {
    const locker = { chosen: 'kernel', reason: 'ext4 is local', recorded, kernel, lockfile }
    const findings = aboutLocks(locker, null)
    return ['flock', 'lockfile'].map((id) => findings.find((each) => each.id === id)?.level)
  }

  test('is a problem where it is used, else worth knowing', () => {
    expect(levels('kernel', good)).toEqual(['ok', 'ok'])
    expect(levels('kernel', lies)).toEqual(['problem', 'ok'])
    expect(levels(null, lies)).toEqual(['problem', 'ok'])
    expect(levels('lockfile', lies)).toEqual(['note', 'ok'])
    expect(levels('lockfile', good, lies)).toEqual(['note', 'problem'])
  })

  test('so is one that the dead keep', () => {
    expect(levels('kernel', { ...good, freedByDeath: false })).toEqual(['problem', 'ok'])
  })

  test('also on the other side only', () => {
    const seen = { ...NOTHING_MEASURED, path: '/b', sameDirectory: true, firstWins: true, lockfile: good }
    const right = (report: Parameters<typeof aboutSecond>[0], inForce: string): string | undefined =>
      aboutSecond(report, inForce).find(({ id }) => id === 'right-locker')?.level
    expect(right({ ...seen, kernel: lies, right: 'lockfile' }, 'kernel')).toBe('problem')
    expect(right({ ...seen, kernel: lies, right: 'lockfile' }, 'lockfile')).toBe('ok')
    expect(right({ ...seen, kernel: good, right: 'kernel' }, 'lockfile')).toBe('note')
    expect(right({ ...seen, kernel: lies, lockfile: lies, right: null }, 'lockfile')).toBe('problem')
  })
})

test('a mistyped name is told from another word', () => {
  const known = ['CACHELATCH_DIR', 'CACHELATCH_GATE_DIR', 'CACHELATCH_EVENTS']
  expect(nearest('CACHELATCH_DRI', known)).toBe('CACHELATCH_DIR')
  expect(nearest('CACHELATCH_EVENT', known)).toBe('CACHELATCH_EVENTS')
  expect(nearest('CACHELATCH_DIR', known)).toBe('CACHELATCH_DIR')
  expect(nearest('CACHELATCH_TEMPERATURE', known)).toBeNull()
  expect(nearest('X', [])).toBeNull()
})
