/** How long an observer waits before it takes a holder for dead: on its own clock, which tests may move. */
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import type { Clock } from '../../src/host/clock.js'
import { type Disk, directDisk } from '../../src/host/disk.js'
import { type Host, realHost } from '../../src/host/host.js'
import { HeldDirectory } from '../../src/lock/held-directory.js'
import { openGate } from '../../src/lock/gate.js'
import { createLockfileLocker } from '../../src/lock/lockfile.js'
import { Observer } from '../../src/lock/observer.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const HOUR = 60 * 60 * 1000
const STALE_MS = HOUR
const TOKEN = 'd'.repeat(32)
/** Whatever is waited for in these tests takes no time. */
let nowMs = 0

afterEach(() => void (nowMs = 0))

const clock: Clock = {
  ...realHost().clock,
  now: () => nowMs,
  async sleep(ms, signal) {
    await new Promise(setImmediate)
    signal?.throwIfAborted()
    nowMs += ms
  },
}
const host: Host = { ...realHost(), clock }

function heldByTheDead(): string {
  const path = `${scratch('locks')}/model`
  mkdirSync(`${path}.held`)
  writeFileSync(`${path}.held/${TOKEN}`, '')
  return path
}

test('a dead holder is succeeded, and no sooner than a living one would know that it has lost the lock', async () => {
  const path = heldByTheDead()
  const locker = createLockfileLocker(host, directDisk, { staleMs: STALE_MS, gateDirectory: null })
  await using lease = await locker.acquire(path, { timeoutMs: Infinity })
  expect(lease.waited).toBe(true)
  expect(nowMs).toBeGreaterThan(STALE_MS)
  expect(nowMs).toBeLessThan(2 * STALE_MS)
})

test('a heart that beats keeps its lock, whatever the times that it writes say', async () => {
  const path = heldByTheDead()
  let beats = 0
  // Backwards: a clock that was set back is no reason to take a lock away.
  const beat = (): void => utimesSync(`${path}.held/${TOKEN}`, 1e9, 1e9 - ++beats)
  const beating: Clock = { ...clock, sleep: (ms, signal) => (beat(), clock.sleep(ms, signal)) }
  const locker = createLockfileLocker({ ...host, clock: beating }, directDisk, {
    staleMs: STALE_MS,
    gateDirectory: null,
  })
  const enough = new AbortController()
  const waiting = locker.acquire(path, { timeoutMs: Infinity, signal: enough.signal })
  while (nowMs < 10 * STALE_MS) {
    await new Promise(setImmediate)
    nowMs += STALE_MS / 100
  }
  enough.abort(new Error('seen enough'))
  await expect(waiting).rejects.toThrow('seen enough')
  expect(beats).toBeGreaterThan(1)
})

test('an observer that is stopped while it looks has not been patient meanwhile', async () => {
  const path = heldByTheDead()
  let stoppedIn: 'first' | 'last' | undefined
  const stopping: Disk = {
    ...directDisk,
    async readdir(directory) {
      if (stoppedIn) nowMs += 10 * STALE_MS
      return directDisk.readdir(directory)
    },
  }
  for (const when of ['first', 'last'] as const) {
    const observer = new Observer(clock, new HeldDirectory(stopping, path), STALE_MS)
    stoppedIn = when === 'first' ? when : undefined
    await observer.look()
    stoppedIn = when === 'last' ? when : undefined
    expect(await observer.look(), `stopped in its ${when} look`).toEqual({ token: TOKEN, stale: false })
  }
})

test('a gate that nobody opens is gone round, once the heart behind it stands still', async () => {
  const path = heldByTheDead()
  const gateDirectory = scratch('gates')
  const stopped = await (await openGate(realHost(), gateDirectory))!.tryEnter(path)
  const locker = createLockfileLocker(host, directDisk, { staleMs: STALE_MS, gateDirectory })
  await using lease = await locker.acquire(path, { timeoutMs: Infinity })
  expect(lease.waited).toBe(true)
  expect(nowMs).toBeGreaterThan(STALE_MS)
  await stopped!.leave()
})

test('who was starved after its take, for longer than others are patient, takes the lock anew', async () => {
  const path = `${scratch('locks')}/model`
  const tokens: string[] = []
  const token = (): string => {
    tokens.push(realHost().processes.token())
    return tokens.at(-1)!
  }
  const starved: Host = { ...host, processes: { ...host.processes, token } }
  const locker = createLockfileLocker(starved, directDisk, { staleMs: STALE_MS, gateDirectory: null })
  const realNs = process.hrtime.bigint.bind(process.hrtime)
  let isFirst = true
  // The clock of this thread's side of the heart. The other side has beaten by then.
  process.hrtime.bigint = () => {
    const lateNs = isFirst ? BigInt(2 * STALE_MS) * 1_000_000n : 0n
    isFirst = false
    return realNs() + lateNs
  }
  try {
    await using lease = await locker.acquire(path, { timeoutMs: Infinity })
    expect(isFirst).toBe(false)
    expect(lease.signal.aborted).toBe(false)
    const [holder] = readdirSync(`${path}.held`)
    expect(tokens.indexOf(holder!)).toBeGreaterThan(0)
  } finally {
    process.hrtime.bigint = realNs
  }
})
