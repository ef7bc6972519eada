/** Publishes, reads and collects until told to stop; counts what it has done, and keeps what was wrong. */
import { setImmediate as turn } from 'node:timers/promises'
import { openCache, isLatchError } from '../../../src/index.js'
import type { Cache, CacheOptions } from '../../../src/index.js'
import { readCandidate, writeCandidate } from '../../support/candidate.js'
import { obey } from './obey.js'

const KEYS = 12
/** How often a reader looks at what it has pinned. */
const LOOKS = 5

const [, , role, root, locker, staleMs] = process.argv
const tally = { done: 0, errors: [] as string[] }
const state = { stopped: false }

const options: CacheOptions = { locker: locker as 'kernel' | 'lockfile', staleMs: Number(staleMs) }
const someKey = (): string => `key-${Math.floor(Math.random() * KEYS)}`

const roles: Record<string, (cache: Cache) => Promise<number>> = {
  /** Counts what it has built for the cache. Under a collector without grace, now and then it is for itself alone. */
  async publisher(cache) {
    const name = `${process.pid}-${tally.done}`
    await using entry = await cache.getOrCompile(someKey(), ({ dir }) => writeCandidate(dir, name))
    readCandidate(entry.path)
    return entry.outcome === 'compiled' ? 1 : 0
  },
  /** Counts entries that stayed whole and the same while it had them. */
  async reader(cache) {
    await using entry = await cache.get(someKey())
    if (entry === null) return 0
    const first = readCandidate(entry.path)
    for (let look = 0; look < LOOKS; look++) {
      await turn()
      const now = readCandidate(entry.path)
      if (now !== first) throw new Error(`What was ${first} is ${now}: ${entry.path}`)
    }
    return 1
  },
  /** Counts entries that it has removed. */
  async collector(cache) {
    const maxBytes = Math.random() < 0.5 ? 0 : 100_000
    const { removed } = await cache.gc({ maxBytes, graceMs: 0 })
    return removed.length
  },
}

async function work(): Promise<void> {
  const cache = await openCache(root!, { ...options, strict: role !== 'publisher' })
  while (!state.stopped) {
    try {
      tally.done += await roles[role!]!(cache)
    } catch (error) {
      tally.errors.push(isLatchError(error) ? `${error.code}: ${error.message}` : String(error))
    }
    await turn()
  }
}

let working: Promise<void> | undefined

obey({
  start() {
    working = work()
  },
  tally: () => tally,
  async stop() {
    state.stopped = true
    await working
    return tally
  },
})
