/** Looking after a cache: nothing that is in use or was not to go is lost, and what was to go can still go. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Cache, type CacheOptions, openCache } from '../../src/index.js'
import { age, keysIn, put } from '../support/shelf.js'
import { leaveFiles } from '../support/slots-on-disk.js'
import type { Operation } from './operation.js'

const HOUR_MS = 60 * 60 * 1000

interface Upkeep {
  name: string
  options?: CacheOptions
  goesWell: string
  /** Whether there are slots and snapshots as well. */
  workers?: boolean
  /** Which of `kept`, `pinned` and `old` may go. */
  mayGo: readonly string[]
  work: (cache: Cache) => Promise<unknown>
}

/** A cache with an entry that nobody uses, one that is old, one that is old and in use, and what a crash has left. */
function upkeep({
  name,
  options = { locker: 'kernel' },
  goesWell,
  workers = false,
  mayGo,
  work,
}: Upkeep): Operation {
  return {
    name,
    goesWell: [goesWell],
    orElse: 'error',
    codes: ['LOCK_UNAVAILABLE'],
    async before(root) {
      const path = join(root, 'cache')
      const cache = await openCache(path, { ...options, strict: true })
      await put(cache, 'kept', 10)
      await put(cache, 'old', 10, HOUR_MS)
      await put(cache, 'pinned', 10, HOUR_MS)
      if (workers) await leaveFiles(path, { 'groups/a/f': 'a', 'singles/s': 's' })
      mkdirSync(join(path, `v1/stage/${'0'.repeat(32)}`))
      mkdirSync(join(path, `v1/trash/${'1'.repeat(32)}.doomed/sub`), { recursive: true })
    },
    async arrange(root) {
      const path = join(root, 'cache')
      const cache = await openCache(path, { ...options, strict: true })
      const pinned = (await cache.get('pinned'))!
      // Found, and so used just now.
      age(cache, 'pinned', HOUR_MS)
      return {
        act: async () => {
          await work(await openCache(path, { ...options, strict: true }))
          return goesWell
        },
        async check() {
          const other = await openCache(path, { ...options, strict: true })
          const there = await keysIn(other)
          for (const key of ['kept', 'pinned', 'old'])
            assert.ok(there.includes(key) || mayGo.includes(key), `${key} is lost`)
          assert.ok(existsSync(join(pinned.path, 'f')), 'what is in use was removed')
          await pinned.release()
          const verified = await other.verify()
          assert.deepEqual(verified.damaged, [])
          await work(other)
        },
      }
    },
  }
}

async function drain(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of items) count++
  return count
}

const gc = (cache: Cache): Promise<unknown> => cache.gc({ maxAgeMs: HOUR_MS / 2, graceMs: 0 })

export const UPKEEP: readonly Operation[] = [
  upkeep({ name: 'gc', goesWell: 'collected', workers: true, mayGo: ['old'], work: gc }),
  upkeep({
    name: 'gc on a network',
    options: { locker: 'lockfile' },
    goesWell: 'collected',
    mayGo: ['old'],
    work: gc,
  }),
  upkeep({
    name: 'clear',
    goesWell: 'cleared',
    workers: true,
    mayGo: ['old', 'kept'],
    work: (cache) => cache.clear(),
  }),
  upkeep({ name: 'remove', goesWell: 'removed', mayGo: ['old'], work: (cache) => cache.remove('old') }),
  upkeep({ name: 'ls', goesWell: 'listed', mayGo: [], work: (cache) => drain(cache.list()) }),
  upkeep({
    name: 'ls of snapshots',
    goesWell: 'listed',
    workers: true,
    mayGo: [],
    work: (cache) => cache.snapshots(),
  }),
  upkeep({ name: 'status', goesWell: 'read', workers: true, mayGo: [], work: (cache) => cache.status() }),
  upkeep({ name: 'stats', goesWell: 'read', mayGo: [], work: (cache) => cache.stats() }),
  upkeep({
    name: 'verify and quarantine',
    goesWell: 'verified',
    workers: true,
    mayGo: [],
    work: (cache) => cache.verify({ quarantine: true }),
  }),
]
