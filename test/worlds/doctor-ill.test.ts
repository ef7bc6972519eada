/** What is wrong with a directory is found, by doctor, with nothing left behind; and doctor itself may be killed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { examine } from '../../src/doctor/examine.js'
import { openCache } from '../../src/index.js'
import { COMMAND, runCommand } from '../support/command.js'
import { complaints, doctor, doctorAs, levelOf } from '../support/doctor.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { childrenOf, isAlive, isStopped } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { below } from '../support/tree.js'
import { until } from '../support/until.js'

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

describe('a cache that is not what it should be:', () => {
  test('its format.json is damaged, or of a locker that excludes nobody', async () => {
    const root = scratch()
    await openCache(root, { strict: true, locker: 'memory' })
    expect(levelOf((await doctor(root)).report, 'locker')).toEqual(['problem'])
    writeFileSync(join(root, 'v1/format.json'), '{"schema":')
    const { code, report } = await doctor(root)
    expect(levelOf(report, 'format')).toEqual(['problem'])
    expect(report.exists).toBe(true)
    expect(code).toBe(1)
  })

  test('it waits for the network without need', async () => {
    const root = scratch()
    await openCache(root, { strict: true, locker: 'lockfile' })
    const { code, report } = await doctor(root)
    expect(levelOf(report, 'locker')).toEqual(['note'])
    expect(levelOf(report, 'gate')).toEqual(['ok'])
    const elsewhere = await doctorAs(root, { env: { CACHELATCH_GATE_DIR: join(root, 'missing') } })
    expect(levelOf(elsewhere.report, 'gate')).toEqual(['warning'])
    expect([code, elsewhere.code]).toEqual([0, 0])
  })

  test('a link stands where a directory belongs', async () => {
    const root = scratch()
    await openCache(root, { strict: true })
    rmSync(join(root, 'v1/trash'), { recursive: true })
    symlinkSync(scratch(), join(root, 'v1/trash'))
    expect(levelOf((await doctor(root)).report, 'unsafe-path')).toEqual(['problem'])
  })

  test('leftovers are counted, and stay: a stage of a living writer is none', async () => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    const anHourAgo = Date.now() / 1000 - 3600
    const plant = (path: string): void => {
      mkdirSync(join(root, path))
      utimesSync(join(root, path), anHourAgo, anHourAgo)
    }
    await cache.getOrCompile('k', async ({ dir }) => {
      writeFileSync(join(dir, 'f'), 'x')
      utimesSync(join(dir, '..'), anHourAgo, anHourAgo)
      plant(`v1/stage/${'a'.repeat(32)}`)
      plant(`v1/trash/${'b'.repeat(32)}.doomed`)
      plant(`.probe-${'c'.repeat(32)}`)
      const before = below(root)
      const { report } = await doctor(root)
      const leftovers = report.findings.find(({ id }) => id === 'leftovers')
      expect(leftovers).toMatchObject({
        level: 'note',
        detail: expect.stringMatching(/^1 stages, 1 in the trash, 1 fragments/) as string,
      })
      expect(below(root)).toEqual(before)
    })
  })

  test('a damaged entry is a problem', async () => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    const entry = await cache.getOrCompile('k', ({ dir }) => writeFileSync(join(dir, 'f'), 'x'))
    writeFileSync(join(entry.path, '../MANIFEST.json'), '{')
    const { code, report } = await doctor(root)
    expect(levelOf(report, 'damaged')).toEqual(['problem'])
    expect(code).toBe(1)
    await entry.release()
  })
})

describe('settings:', () => {
  test('each with its origin, and what is mistyped or was never set', async () => {
    const root = scratch()
    const env = {
      CACHELATCH_GATEDIR: '/tmp',
      CACHELATCH_GATE_DIR: 'undefined',
      CACHELATCH_WHATEVER_THIS_IS: 'NaN',
      CACHELATCH_EVENTS: join(root, 'missing/events'),
      XDG_CACHE_HOME: '~/.cache',
    }
    const { code, report } = await doctorAs(root, { env })
    expect(report.settings).toContainEqual({ name: 'CACHELATCH_DIR', value: root, origin: 'environment' })
    expect(report.settings).toContainEqual({
      name: 'XDG_CACHE_HOME',
      value: '~/.cache',
      origin: 'environment',
    })
    const found = report.findings.filter(({ section }) => section === 'settings')
    expect(found).toMatchObject([
      { id: 'events-file', title: 'CACHELATCH_EVENTS', level: 'warning' },
      { id: 'doubtful-setting', title: 'CACHELATCH_GATE_DIR', level: 'warning' },
      { id: 'doubtful-setting', title: 'XDG_CACHE_HOME', level: 'warning' },
      { id: 'unknown-setting', title: 'CACHELATCH_GATEDIR', advice: 'Did you mean CACHELATCH_GATE_DIR?' },
      { id: 'unknown-setting', title: 'CACHELATCH_WHATEVER_THIS_IS' },
    ])
    expect(code).toBe(0)
  })

  test('a flag wins, and the variable that lost is named', async () => {
    const root = scratch()
    const { report } = await doctorAs('/nowhere', { args: ['--cache', root] })
    expect(report.settings[0]).toEqual({ name: '--cache', value: root, origin: 'flag' })
    expect(levelOf(report, 'overridden-setting')).toEqual(['note'])
  })
})

test('people get a line a finding, advice below what is wrong, and a verdict at the end', async () => {
  const root = scratch()
  chmodSync(root, 0o777)
  const { code, stdout, stderr } = await runCommand(root, 'doctor')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^ {2}✓ renaming a directory: works$/m)
  expect(stdout).toMatch(/^ {2}! permissions: .+\n {6}chmod o-w/m)
  expect(stdout).toMatch(
    /\n\n1 warning; a cache here would use the kernel lock, and it excludes between processes\.\n$/,
  )
  expect(code).toBe(0)
})

describe.skipIf(missing('root', 'bindfs'))('a file system that hangs', () => {
  test('and one whose server is gone', async () => {
    const { path, server } = await mounts.stoppableBindfs(scratch())
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
    const { code, report } = await doctor(path)
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        id: 'unreachable',
        advice: expect.stringMatching(/mount it again/) as string,
      }),
    )
    expect(code).toBe(1)
  })

  test('is said to, within the limit, also when it is only the second path', async () => {
    const { path, server } = await mounts.stoppableBindfs(scratch())
    server.kill('SIGSTOP')
    await until('it is stopped', () => isStopped(server.pid!))
    const limitMs = 4_000
    const report = await examine(path, { limitMs, env: {} })
    expect(levelOf(report, 'hangs')).toEqual(['problem'])
    const other = scratch()
    const second = await examine(other, { limitMs, env: {}, second: path })
    expect(levelOf(second, 'hangs')).toEqual(['problem'])
    expect(second.locker!.kernel.excludes).toBe(true)
    expect(below(other)).toEqual([])
  })
})

describe.skipIf(missing('linux'))('doctor, killed in the middle,', () => {
  /** Its own process group, so that all of it can be killed at once. */
  async function startDoctor(root: string): Promise<ChildProcess> {
    const env = { ...process.env, CACHELATCH_DIR: root }
    const child = spawn(process.execPath, [COMMAND, 'doctor'], { env, stdio: 'ignore', detached: true })
    await until('it probes', () => probesIn(root).length === 1)
    return child
  }
  const probesIn = (root: string): string[] => readdirSync(root).filter((name) => name.startsWith('.probe-'))
  const gone = (child: ChildProcess): Promise<unknown> =>
    new Promise((resolve) => child.once('exit', resolve))

  test('leaves nothing: its probers tidy up and end', async () => {
    const root = scratch()
    const child = await startDoctor(root)
    const probers = childrenOf(child.pid!)
    expect(probers.length).toBeGreaterThan(0)
    const ended = gone(child)
    child.kill('SIGKILL')
    await ended
    await until('the probers have ended', () => probers.every(({ pid }) => !isAlive(pid)))
    expect(below(root)).toEqual([])
  })

  test('together with its probers, leaves one directory, and gc removes it', async () => {
    const root = scratch()
    await openCache(root, { strict: true })
    const before = below(root)
    const child = await startDoctor(root)
    const ended = gone(child)
    process.kill(-child.pid!, 'SIGKILL')
    await ended
    expect(probesIn(root)).toHaveLength(1)
    await until('gc has removed it', async () => {
      expect((await runCommand(root, 'gc', '--grace', '0s')).code).toBe(0)
      return probesIn(root).length === 0
    })
    expect(below(root)).toEqual(before)
  })
})
