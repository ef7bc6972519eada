/**
 * What was published of others, done to us: every advisory of py-filelock of 2025 and 2026, and two of those who restore
 * trees. Races are made to happen at the very call.
 */
import {
  chownSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import lockfile from 'proper-lockfile'
import { describe, expect, test } from 'vitest'
import { directDisk, pooledDisk } from '../../src/host/disk.js'
import { sha256 } from '../../src/host/hash.js'
import { realHost } from '../../src/host/host.js'
import { lockFilesOver } from '../../src/host/lock-file.js'
import { openCache, withLock, writeDirectory } from '../../src/index.js'
import { openGate } from '../../src/lock/gate.js'
import { Hearts } from '../../src/lock/hearts.js'
import { HeldDirectory } from '../../src/lock/held-directory.js'
import { Observer } from '../../src/lock/observer.js'
import { Pulse } from '../../src/lock/pulse.js'
import { Layout } from '../../src/store/layout.js'
import { type Manifest, decodeManifest, encodeManifest } from '../../src/store/manifest.js'
import { moveOut } from '../../src/store/trash.js'
import { steppedHost } from '../support/hosts.js'
import { useLockDirectory } from '../support/lock-directory.js'
import { ACROSS_PROCESSES, makeLocker } from '../support/lockers.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { prepareTestWorker, runTestWorker, snapshotIn } from '../support/slot-workers.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const lockDirectory = useLockDirectory()

const OLD_SECONDS = 1_600_000_000
const TOKEN = 'ab'.repeat(16)

/** A file of the victim's, and how it is now. */
function precious(): { path: string; directory: string; asItWas: () => void } {
  const directory = scratch('precious')
  const path = join(directory, 'letters')
  writeFileSync(path, 'dear')
  utimesSync(path, OLD_SECONDS, OLD_SECONDS)
  const asItWas = (): void => {
    expect(readdirSync(directory)).toEqual(['letters'])
    expect(readFileSync(path, 'utf8')).toBe('dear')
    expect(statSync(path)).toMatchObject({ nlink: 1, mode: 0o100644, mtimeMs: OLD_SECONDS * 1000 })
  }
  return { path, directory, asItWas }
}

test('CVE-2025-68146: a link planted between the look for the lock file and its creation truncates nothing', async () => {
  const path = join(lockDirectory(), 'model')
  const { path: letters, asItWas } = precious()
  const lockFiles = lockFilesOver({
    open(file, flags, mode) {
      if (flags & constants.O_CREAT) symlinkSync(letters, file)
      return openSync(file, flags, mode)
    },
    close: closeSync,
    fstat: fstatSync,
    lstat: (file) => lstatSync(file, { throwIfNoEntry: false }),
  })
  const locker = makeLocker('kernel', { host: { ...realHost(), lockFiles } })
  await expect(locker.acquire(path)).rejects.toMatchObject({ code: 'UNSAFE_PATH', hint: /\w/ })
  expect(lstatSync(`${path}.lock`).isSymbolicLink()).toBe(true)
  asItWas()
})

test('CVE-2026-22701: a link planted between the look for a lock directory and its creation leads nowhere', async () => {
  const path = join(lockDirectory(), 'model')
  const { directory, asItWas } = precious()
  let planted = false
  const host = steppedHost(() => {
    // The token is made after the look and before the take.
    if (!planted) symlinkSync(directory, `${path}.held`)
    planted = true
  })
  const locker = makeLocker('lockfile without a gate', { host })
  await expect(locker.acquire(path)).rejects.toMatchObject({ code: 'UNSAFE_PATH', hint: /\w/ })
  asItWas()
})

describe('a lock that was seen to be stale, and is broken when another has it:', () => {
  test('CVE-2026-112935: with the inode and the time of the dead one, the living one keeps it', async () => {
    const held = new HeldDirectory(directDisk, join(lockDirectory(), 'model'))
    const [dead, living] = ['de'.repeat(16), 'a1'.repeat(16)]
    await held.take(dead)
    utimesSync(held.tokenPath(dead), OLD_SECONDS, OLD_SECONDS)
    const { ino } = statSync(held.tokenPath(dead))
    // We have decided that `dead` is. Somebody is faster, and the honest contender has its very inode and time.
    renameSync(held.tokenPath(dead), held.tokenPath(living))
    expect(statSync(held.tokenPath(living))).toMatchObject({ ino, mtimeMs: OLD_SECONDS * 1000 })
    expect(await held.remove(dead)).toBe(false)
    expect(await held.holder()).toBe(living)
  })

  test('CVE-2026-112906: what was watched of one holder does not count against the next', async () => {
    const held = new HeldDirectory(directDisk, join(lockDirectory(), 'model'))
    let now = 0
    const clock = { ...realHost().clock, now: () => now }
    const observer = new Observer(clock, held, 1_000)
    for (const token of ['de'.repeat(16), 'a1'.repeat(16)]) {
      mkdirSync(held.path, { recursive: true })
      writeFileSync(held.tokenPath(token), '')
      utimesSync(held.tokenPath(token), OLD_SECONDS, OLD_SECONDS)
      expect(await observer.look()).toEqual({ token, stale: false })
      now += 5_000
      if (token.startsWith('de')) {
        expect(await observer.look()).toEqual({ token, stale: true })
        rmSync(held.tokenPath(token))
      }
    }
  })
})

test('CVE-2026-112908: who may delete the file of a lock makes two build, and still nothing is lost or mixed', async () => {
  const root = scratch()
  const layout = new Layout(root)
  const caches = await Promise.all([1, 2].map(() => openCache(root, { strict: true, locker: 'kernel' })))
  const entered: string[] = []
  const [first, second] = await Promise.all(
    caches.map((cache, index) =>
      cache.getOrCompile('key', async ({ dir }) => {
        entered.push(`${index}`)
        // The first to build: its lock is deleted while it does.
        if (entered.length === 1) rmSync(`${layout.lock(sha256('"key"'))}.lock`)
        for (const file of ['a', 'b']) writeFileSync(join(dir, file), `by ${index}`)
        await new Promise((resolve) => void setImmediate(resolve))
      }),
    ),
  )
  for (const { path } of [first!, second!])
    expect(readFileSync(join(path, 'a'), 'utf8')).toBe(readFileSync(join(path, 'b'), 'utf8'))
  expect(first!.path).toBe(second!.path)
})

test('CVE-2026-112909: a file that is linked, or moved, to the name of a lock is neither truncated nor changed', async () => {
  const path = join(lockDirectory(), 'model')
  const { path: letters, asItWas } = precious()
  linkSync(letters, `${path}.lock`)
  await using lease = await makeLocker('kernel').acquire(path, { timeoutMs: 0 })
  expect(lease.waited).toBe(false)
  rmSync(`${path}.lock`)
  asItWas()
})

test('CVE-2026-112907, CVE-2026-112910 are of Windows, on which we do not run', () => {
  const { os } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
    os: string[]
  }
  expect(os).not.toContain('win32')
})

test.skipIf(missing('root'))(
  'CVE-2026-112911: a directory of gates that another user has made first is not used',
  async () => {
    const gates = scratch('gates')
    expect(await openGate(realHost(), gates)).not.toBeNull()
    chownSync(gates, 65_534, 65_534)
    expect(await openGate(realHost(), gates)).toBeNull()
    expect(readdirSync(gates)).toEqual([])
  },
)

test('CVE-2026-112912: what is said of a planted link does not tell whether there is something at its end', async () => {
  const path = join(lockDirectory(), 'model')
  const said: unknown[] = []
  for (const target of [precious().path, '/nowhere/at/all', scratch()])
    for (const name of ACROSS_PROCESSES) {
      const place = path + (name.startsWith('kernel') ? '.lock' : '.held')
      symlinkSync(target, place)
      const error: unknown = await makeLocker(name)
        .acquire(path, { timeoutMs: 0 })
        .catch((each: unknown) => each)
      said.push(`${(error as { code: string }).code} ${(error as Error).message}`)
      rmSync(place)
    }
  expect(new Set(said).size).toBe(2)
})

test('CVE-2026-112914: a link swapped in at what is moved aside and put back gives nobody a file of the victim', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  await (await cache.getOrCompile('key', ({ dir }) => writeFileSync(join(dir, 'f'), 'ours'))).release()
  const layout = new Layout(root)
  const path = layout.entry(sha256('"key"'))
  const { path: letters, asItWas } = precious()
  const isMeant = async (place: string): Promise<boolean> => {
    rmSync(place, { recursive: true })
    symlinkSync(letters, place)
    return false
  }
  expect(await moveOut(directDisk, layout, { path, token: TOKEN, isMeant })).toBeNull()
  asItWas()
  expect(readlinkSync(path)).toBe(letters)
  expect(await cache.get('key')).toBeNull()
})

test.each(ACROSS_PROCESSES)(
  'CVE-2026-112915: records made to be read for ever do not hold up a wait that has a limit: %s',
  async (name) => {
    const path = join(lockDirectory(), 'model')
    await using holder = await makeLocker(name).acquire(path)
    for (const kind of ['owner.json', `waiting.${TOKEN}.json`]) execFileSync('mkfifo', [`${path}.${kind}`])
    await expect(makeLocker(name).acquire(path, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
    })
    expect(holder.signal.aborted).toBe(false)
  },
)

const IN_PLACE_OF_A_TOKEN: [string, (path: string, letters: string) => void][] = [
  ['a FIFO', (path) => void execFileSync('mkfifo', [path])],
  ['a link', (path, letters) => symlinkSync(letters, path)],
  ['a hard link', (path, letters) => linkSync(letters, path)],
]

describe('CVE-2026-112934: what is put in the place of a token that is beaten upon', () => {
  test.each(IN_PLACE_OF_A_TOKEN)(
    '%s is not touched where it is seen, and the lock is lost',
    async (_name, plant) => {
      const path = join(lockDirectory(), 'model')
      const { path: letters, asItWas } = precious()
      const lease = await makeLocker('lockfile').acquire(path)
      const [token] = readdirSync(`${path}.held`)
      const place = join(`${path}.held`, token!)
      rmSync(place)
      plant(place, letters)
      execFileSync('touch', ['-h', '-d', `@${OLD_SECONDS}`, place])
      await until('the loss of the lock', () => lease.signal.aborted)
      expect(lstatSync(place).mtimeMs).toBe(OLD_SECONDS * 1000)
      await lease.release()
      asItWas()
    },
  )

  test.each(IN_PLACE_OF_A_TOKEN)(
    '%s that comes between the look and the beat is not followed',
    async (name, plant) => {
      const path = join(lockDirectory(), 'model')
      const { path: letters, asItWas } = precious()
      let beats = 0
      const utimes = (place: string, seconds: number): Promise<void> => {
        // The first belongs to the taking.
        if (++beats === 2) {
          rmSync(place)
          plant(place, letters)
        }
        return pooledDisk.utimes(place, seconds)
      }
      const body = { disk: { ...pooledDisk, utimes }, clock: realHost().clock, lock: lockfile.lock }
      let lost = false
      const hearts = new Hearts(body, () => (lost = true))
      const pulse = new SharedArrayBuffer(Pulse.BYTES)
      expect(await hearts.answer({ do: 'take', path, token: TOKEN, staleMs: 2_000, pulse })).toBe(true)
      await until('the beat after that', () => beats >= 3 || lost)
      await hearts.answer({ do: 'release', path, token: TOKEN })
      // A second name of a file has its times: those alone.
      if (name === 'a hard link') utimesSync(letters, OLD_SECONDS, OLD_SECONDS)
      asItWas()
    },
  )
})

test('CVE-2026-112937: a directory that is moved to the name of a stage is not removed with it', async () => {
  const directory = scratch()
  const { directory: dear, path: letters } = precious()
  const stages = join(directory, '.cachelatch/v1/stage')
  const build = async (dir: string): Promise<void> => {
    writeFileSync(join(dir, 'f'), 'ours')
    renameSync(dir, `${dir}-aside`)
    renameSync(dear, dir)
    throw new Error('the build fails')
  }
  await expect(writeDirectory(join(directory, 'target'), build)).rejects.toThrow('the build fails')
  const left = readdirSync(stages).find((name) => !name.endsWith('-aside'))
  expect(readFileSync(join(stages, left!, 'letters'), 'utf8')).toBe('dear')
  expect(existsSync(letters)).toBe(false)
})

describe('CVE-2026-112938, CVE-2026-112941: a link swapped in at the directory of locks after it was looked at', () => {
  test.each(['kernel', 'lockfile'] as const)('takes no lock elsewhere: %s', async (locker) => {
    const directory = scratch()
    const target = join(directory, 'target')
    const { directory: dear, asItWas } = precious()
    await withLock(target, () => undefined, { locker })
    const locks = join(directory, '.cachelatch/v1/locks')
    renameSync(locks, `${locks}-aside`)
    symlinkSync(dear, locks)
    await expect(withLock(target, () => undefined, { locker })).rejects.toMatchObject({ code: 'UNSAFE_PATH' })
    asItWas()
  })
})

test('CVE-2026-112940: nothing beside a lock is opened by name to be written: a link there is replaced', async () => {
  const path = join(lockDirectory(), 'model')
  const { path: letters, asItWas } = precious()
  for (const name of ['owner.json', 'lock-journal', 'lock-wal']) symlinkSync(letters, `${path}.${name}`)
  const lease = await makeLocker('kernel').acquire(path, { announce: true })
  await until('the owner is on record', () => lstatSync(`${path}.owner.json`).isFile())
  await lease.release()
  asItWas()
})

test.each(ACROSS_PROCESSES)(
  'GHSA-rfpc-qcw5-3pc4: a dead pid in the record breaks no lock: %s',
  async (name) => {
    const path = join(lockDirectory(), 'model')
    const holder = await makeLocker(name).acquire(path, { announce: true })
    const record = `${path}.owner.json`
    await until('the owner is on record', () => existsSync(record))
    const owner = JSON.parse(readFileSync(record, 'utf8')) as object
    rmSync(record)
    writeFileSync(record, JSON.stringify({ ...owner, pid: 2 ** 22 - 1, startTime: '1' }))
    await expect(makeLocker(name).acquire(path, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
      message: expect.stringContaining('which is dead'),
    })
    expect(holder.signal.aborted).toBe(false)
    await holder.release()
  },
)

describe('of those who restore trees:', () => {
  // node-tar: the target of a link was checked in another way than it was made.
  test('CVE-2026-24842, CVE-2026-23745: no link of a planted unit leads out of the slot', async () => {
    const cache = scratch()
    await runTestWorker(cache, ({ write }) => write('groups/g/k', 'whole'))
    const { path } = (await snapshotIn(cache)).get('groups/g')!
    const file = join(path, 'MANIFEST.json')
    const manifest = decodeManifest(readFileSync(file, 'utf8')) as Manifest
    for (const target of [
      '/etc',
      '../../../x',
      'a/../../../../x',
      './../../../x',
      '..',
      '../../..',
      '//etc',
      '\\..\\x',
    ]) {
      const links = [{ path: 'groups/g/link', target }]
      writeFileSync(file, encodeManifest({ ...manifest, links }))
      const worker = await prepareTestWorker(cache)
      const link = join(worker.path, 'groups/g/link')
      if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink())
        expect(join(link, '..', readlinkSync(link)).startsWith(`${worker.path}/`), target).toBe(true)
      await worker.ended(1)
    }
  })

  // rattler_cache: a part of the key was a part of the path.
  test('CVE-2026-53956: no key becomes a path', async () => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    for (const key of ['../../out', '/etc/passwd', '..', 'a/../../b', '\0', { '../out': '../out' }]) {
      await using entry = await cache.getOrCompile(key, ({ dir }) => writeFileSync(join(dir, 'f'), ''))
      expect(entry.path).toMatch(/\/v1\/entries\/[0-9a-f]{2}\/[0-9a-f]{64}\/files$/)
    }
    expect(readdirSync(join(root, '..')).filter((name) => name === 'out')).toEqual([])
  })
})
