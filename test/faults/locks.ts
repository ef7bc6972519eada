/** Taking a lock beside a path, working under it, letting go. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pooledDisk } from '../../src/host/disk.js'
import { explain } from '../../src/host/disk-errors.js'
import { lockPath, withLock } from '../../src/index.js'
import { HeldDirectory } from '../../src/lock/held-directory.js'
import { letPass } from '../support/passing-time.js'
import type { Arranged, Operation } from './operation.js'

function locking(name: string, locker: 'kernel' | 'lockfile', withoutNative = false): Operation {
  return {
    name,
    goesWell: ['held'],
    orElse: 'error',
    codes: ['LOCK_UNAVAILABLE'],
    setting: { withoutNative },
    async arrange(root): Promise<Arranged> {
      const path = join(root, 'target')
      let works = 0
      return {
        act: () =>
          withLock(
            path,
            () => {
              works++
              return 'held'
            },
            { locker },
          ),
        async check({ outcome }) {
          assert.equal(works, outcome === 'held' ? 1 : 0, 'work was done, and reported as failed, or twice')
          assert.equal(await withLock(path, () => 'free', { locker, timeoutMs: 0 }), 'free')
        },
      }
    },
  }
}

const warmLock: Operation = {
  ...locking('lock, held before', 'kernel'),
  async arrange(root) {
    const path = join(root, 'target')
    const lock = locking('', 'kernel')
    await withLock(path, () => undefined)
    return lock.arrange(root)
  },
}

/** Long enough for a waiter to have tried a few times, and to have its helper wait in the kernel. */
const HELD_FOR_MS = 10

/** As another process does: by a descriptor of its own. */
const waiting = (name: string, whileHeld: () => Promise<void>): Operation => ({
  ...locking(name, 'kernel'),
  async arrange(root) {
    const path = join(root, 'target')
    const fd = openSync(await lockPath(path, { locker: 'kernel' }), 'w')
    flockSync(fd)
    const { act, check } = await locking('', 'kernel').arrange(root)
    return {
      async act() {
        const over = whileHeld().then(() => closeSync(fd))
        try {
          return await act()
        } finally {
          await over
        }
      },
      check,
    }
  },
})

/** Then a waiter is on record, for people. */
const TOLD_AFTER_MS = 2_000

async function holdUntilTold(): Promise<void> {
  await sleep(HELD_FOR_MS)
  await letPass(TOLD_AFTER_MS)
}

function flockSync(fd: number): void {
  assert.equal(spawnSync('flock', ['-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] }).status, 0)
}

const probe: Operation = {
  name: 'choose a locker',
  goesWell: ['chosen'],
  orElse: 'error',
  codes: ['LOCK_UNAVAILABLE'],
  async arrange(root) {
    return {
      act: async () =>
        (await lockPath(join(root, 'target'))).endsWith('.lock') ? 'chosen' : 'not the kernel',
      check: async () =>
        assert.equal(await withLock(join(root, 'target'), () => 'free', { timeoutMs: 0 }), 'free'),
    }
  },
}

const TOKENS = ['0'.repeat(32), '1'.repeat(32)] as const

/** Of the thread in which hearts beat, as far as it touches the disk; what it reports, the locker explains. */
const heldDirectory: Operation = {
  name: 'the directory of a network lock',
  // By another: with EBUSY, one that is waited for looks like one that is moved.
  goesWell: ['held', 'held by another'],
  orElse: 'error',
  async arrange(root) {
    const held = new HeldDirectory(pooledDisk, join(root, 'lock'))
    const [first, second] = TOKENS
    const takeAndLetGo = async (token: string): Promise<string> => {
      if (!(await held.take(token))) return 'held by another'
      await held.heartbeat(token)
      await held.remove(token)
      return 'held'
    }
    return {
      async act() {
        try {
          return await takeAndLetGo(first)
        } catch (error) {
          throw explain(error, 'Holding', root)
        }
      },
      async check() {
        // Its own, where the disk has kept it from letting go: whoever sees that it is dead removes it, and nothing else.
        const holder = await held.holder()
        assert.ok(holder === null || holder === first)
        if (holder !== null) await held.remove(holder)
        assert.equal(await takeAndLetGo(second), 'held')
      },
    }
  },
}

export const LOCKS: readonly Operation[] = [
  locking('lock', 'kernel'),
  warmLock,
  waiting('wait for a lock', () => sleep(HELD_FOR_MS)),
  waiting('wait for a lock, and say so', holdUntilTold),
  locking('lock, by flock(1)', 'kernel', true),
  locking('lock on a network', 'lockfile'),
  probe,
  heldDirectory,
]
