/** Pins: of every kind, and the protocol of those that are locks (pins.ts), each of its races made to happen. */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Cache, Entry, Owner } from '../../src/index.js'
import type { Disk, Stats } from '../../src/host/disk.js'
import { type Host, realHost } from '../../src/host/host.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { Layout } from '../../src/store/layout.js'
import { sha256 } from '../../src/host/hash.js'
import { entryPath, leftoversIn } from '../support/caches.js'
import { watchedHost } from '../support/hosts.js'
import { useScratch } from '../support/scratch.js'
import { put } from '../support/shelf.js'
import { atCall } from '../support/stopping-disk.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const ID = sha256('"a"')

function openOn(root: string, change: (disk: Disk) => Disk): Promise<Cache> {
  const real = realHost()
  const host: Host = { ...real, diskFor: (fileSystem) => change(real.diskFor(fileSystem)) }
  return openCacheOn(host, root, { locker: 'lockfile', staleMs: 2_000, strict: true })
}

/** gc that has found no pin and stands still before it moves the entry. */
async function pausedCollector(root: string): Promise<{
  removing: ReturnType<Cache['remove']>
  proceed: () => void
}> {
  let proceed = (): void => undefined
  const pause = new Promise<void>((resolve) => (proceed = resolve))
  let isThere = false
  const collector = await openOn(root, (disk) => ({
    ...disk,
    async rename(from, to) {
      if (from === entryPath(root, 'a')) {
        isThere = true
        await pause
      }
      return disk.rename(from, to)
    },
  }))
  const removing = collector.remove('a')
  await until('gc is about to move the entry', () => isThere)
  return { removing, proceed }
}

test('a reader that comes while gc removes the entry reads nothing until that is over: it has its entry, and gc gives up', async () => {
  const root = scratch()
  await put(await openOn(root, (disk) => disk), 'a', 10)
  const { removing, proceed } = await pausedCollector(root)
  let waits = false
  const closing = `${new Layout(root).closing(ID)}.held`
  const reader = await openOn(root, (disk) => ({
    ...disk,
    readdir(path) {
      waits ||= path === closing
      return disk.readdir(path)
    },
  }))
  let entry: Entry | null | undefined
  const reading = reader.get('a').then((found) => (entry = found))
  await until('the reader waits for gc', () => waits || entry !== undefined)
  expect(entry).toBeUndefined()
  proceed()
  expect(readFileSync(join((await reading)!.path, 'f'), 'utf8')).toHaveLength(10)
  expect(await removing).toBe('in-use')
  await entry!.release()
  expect(leftoversIn(root)).toEqual([])
})

test('a gc that was stopped, and whose mark was taken over, puts back what somebody uses by now', async () => {
  const root = scratch()
  const reader = await openOn(root, (disk) => disk)
  await put(reader, 'a', 10)
  const { removing, proceed } = await pausedCollector(root)
  // As whoever watches its heart not beat takes it over.
  rmSync(`${new Layout(root).closing(ID)}.held`, { recursive: true })
  await using entry = (await reader.get('a'))!
  proceed()
  expect(await removing).toBe('in-use')
  expect(readFileSync(join(entry.path, 'f'), 'utf8')).toHaveLength(10)
})

test('the mark of a gc that died keeps readers waiting no longer than its lock lives', async () => {
  const root = scratch()
  const reader = await openOn(root, (disk) => disk)
  await put(reader, 'a', 10)
  const closing = `${new Layout(root).closing(ID)}.held`
  await plantDeadLock(root, closing)
  await using entry = (await reader.get('a'))!
  expect(readFileSync(join(entry.path, 'f'), 'utf8')).toHaveLength(10)
  expect(existsSync(closing)).toBe(false)
  expect(readdirSync(join(root, 'v1/pins'))).toHaveLength(1)
})

test('the pin of a reader that died is in gc’s way until it was watched', async () => {
  const root = scratch()
  const cache = await openOn(root, (disk) => disk)
  await put(cache, 'a', 10)
  await plantDeadLock(root, `${new Layout(root).pin(ID, 'd'.repeat(32))}.held`)
  expect(await cache.gc({ maxBytes: 0, graceMs: 0 })).toMatchObject({ removed: [], inUse: 1 })
  expect(await cache.gc({ maxBytes: 0, graceMs: 0, watchMs: 10_000 })).toMatchObject({ entries: 0, inUse: 0 })
  expect(leftoversIn(root)).toEqual([])
})

test('a gc that died while it watched a dead pin is on record as waiting no longer than until the next one', async () => {
  const root = scratch()
  const cache = await openOn(root, (disk) => disk)
  await cache.locker()
  const living = realHost().processes.asOwner(Date.now())
  const recordOf = (owner: Owner, token: string): string => {
    const path = `${new Layout(root).pin(ID, 'd'.repeat(32))}.waiting.${token.repeat(32)}.json`
    writeFileSync(path, JSON.stringify({ owner, label: null, deadline: Date.now() + 60_000 }))
    return basename(path)
  }
  recordOf({ ...living, startTime: '1' }, 'a')
  const ofLiving = recordOf(living, 'b')
  await cache.gc({ graceMs: 0 })
  expect(readdirSync(join(root, 'v1/pins'))).toEqual([ofLiving])
})

test('an entry that is pinned is not moved, not even to be put back', async () => {
  const root = scratch()
  const reader = await openOn(root, (disk) => disk)
  await put(reader, 'a', 10)
  await using entry = (await reader.get('a'))!
  let moves = 0
  const collector = await openOn(root, (disk) => ({
    ...disk,
    rename: (from, to) => ((moves += Number(from === entryPath(root, 'a'))), disk.rename(from, to)),
  }))
  expect(await collector.remove('a')).toBe('in-use')
  expect(moves).toBe(0)
  expect(existsSync(entry.path)).toBe(true)
})

describe.each(['kernel', 'lockfile'] as const)('%s:', (locker) => {
  const open = (root: string, host = realHost()): Promise<Cache> =>
    openCacheOn(host, root, { locker, strict: true })

  test('an entry that is removed before any call of a look-up is not handed out, or stays', async () => {
    const outcomes = new Set<string>()
    for (let n = 1, reached = true; reached; n++) {
      const root = scratch()
      const other = await open(root)
      await put(other, 'a', 10)
      let removal = ''
      const ours = atCall(n, async () => void (removal = await other.remove('a')))
      const entry = await (await open(root, ours.host)).get('a')
      reached = ours.reached !== undefined
      if (entry !== null) expect(existsSync(entry.path), `before ${ours.reached}, call ${n}`).toBe(true)
      outcomes.add(`${removal}, ${entry === null ? 'not found' : 'found'}`)
      await entry?.release()
    }
    expect([...outcomes].sort()).toEqual([', found', 'in-use, found', 'removed, not found'])
  })

  test('an entry that is compiled anew before any call of a look-up is the one that is pinned', async () => {
    for (let n = 1, reached = true; reached; n++) {
      const root = scratch()
      const other = await open(root)
      await put(other, 'a', 10)
      const ours = atCall(n, async () => {
        if ((await other.remove('a')) === 'removed') await put(other, 'a', 10)
      })
      const entry = await (await open(root, ours.host)).get('a')
      reached = ours.reached !== undefined
      if (entry !== null) expect(await other.remove('a'), `before ${ours.reached}, call ${n}`).toBe('in-use')
      await entry?.release()
    }
  })
})

test.skipIf(realHost().native === null)(
  'an entry that gc moves away before any call of a hit in one go is not handed out, or stays',
  async () => {
    let left = Infinity
    let gc = (): void => undefined
    const host = watchedHost(
      realHost(),
      () => void (--left === 0 && gc()),
      () => undefined,
    )
    const outcomes = new Set<string>()
    for (let n = 1, reached = true; reached; n++) {
      const root = scratch()
      const cache = await openCacheOn(host, root, { locker: 'kernel', strict: true })
      await put(cache, 'a', 10)
      reached = false
      let moved = false
      gc = () => {
        reached = true
        moved = claimAndMove(entryPath(root, 'a'), join(root, 'v1/trash/moved'))
      }
      left = n
      const entry = await cache.getOrCompile('a', ({ dir }) => writeFileSync(join(dir, 'f'), 'new'))
      expect(existsSync(entry.path), `call ${n}`).toBe(true)
      expect(claimAndMove(entryPath(root, 'a'), join(root, 'v1/trash/too-late'))).toBe(false)
      outcomes.add(`${moved ? 'moved' : 'in use'}, ${entry.outcome}`)
      left = Infinity
      await entry.release()
    }
    expect([...outcomes].sort()).toEqual(['in use, hit', 'moved, compiled'])
  },
)

/** As gc does, in one go. `false`: somebody uses it. */
function claimAndMove(entry: string, to: string): boolean {
  const fd = openSync(join(entry, 'MANIFEST.json'), 'r')
  try {
    if (!realHost().native!.flock(fd, 'exclusive')) return false
    renameSync(entry, to)
    return true
  } finally {
    closeSync(fd)
  }
}

/** As clients of NFS and sshfs do: a name that was opened or looked at is what it was, until what it is in is opened. */
function remembering(disk: Disk): Disk {
  const seen = new Map<string, Stats>()
  const look = async (path: string): Promise<Stats> => {
    const stats = await disk.lstat(path)
    seen.set(path, stats)
    return stats
  }
  return {
    ...disk,
    inThread: undefined,
    async openRead(path) {
      for (const name of seen.keys()) if (name.startsWith(path)) seen.delete(name)
      const fd = await disk.openRead(path)
      await look(path)
      return fd
    },
    lstat: async (path) => seen.get(path) ?? look(path),
  }
}

test('a client that remembers what it has seen: an entry that is removed before any of its calls is not handed out, or stays', async () => {
  const outcomes = new Set<string>()
  for (let n = 1, reached = true; reached; n++) {
    const root = scratch()
    const other = await openOn(root, (disk) => disk)
    await put(other, 'a', 10)
    const ours = atCall(n, async () => void (await other.remove('a')))
    const client = remembering(ours.host.diskFor(realHost().inspect(root)))
    const cache = await openCacheOn({ ...ours.host, diskFor: () => client }, root, { strict: true })
    const entry = await cache.get('a')
    reached = ours.reached !== undefined
    if (entry !== null) expect(existsSync(entry.path), `before ${ours.reached}, call ${n}`).toBe(true)
    outcomes.add(entry === null ? 'not found' : 'found')
    await entry?.release()
  }
  expect([...outcomes].sort()).toEqual(['found', 'not found'])
})

async function plantDeadLock(root: string, held: string): Promise<void> {
  const host = realHost()
  const disk = host.diskFor(host.inspect(root))
  await disk.mkdir(held)
  await disk.close(await disk.createExclusive(join(held, 'd'.repeat(32)), 0o666))
}
