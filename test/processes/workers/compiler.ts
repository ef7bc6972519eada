/** Compiles through a cache on command, and keeps a log of its builds that knows nothing of locks. */
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pMap from 'p-map'
import type { Cache } from '../../../src/latch/cache.js'
import { readCandidate, readEntry, writeCandidate } from '../../support/candidate.js'
import { openTestCache } from '../../support/caches.js'
import { impatientHost } from '../../support/hosts.js'
import { obey } from './obey.js'

const [, , locker = 'auto', staleMs] = process.argv
const settings = { locker, staleMs: staleMs === undefined ? undefined : Number(staleMs) }
const caches = new Map<string, Promise<Cache>>()
let builds = 0

function cacheIn(root: string): Promise<Cache> {
  const cache = caches.get(root) ?? openTestCache(impatientHost(50), root, settings)
  caches.set(root, cache)
  return cache
}

interface Order {
  root: string
  key: string
  /** Every build appends a line when it starts, and one when it is done. */
  log: string
  /** Where waiters leave a file each when they are told that they wait. */
  signs?: string
  /** The build leaves one as well. */
  signBuild?: boolean
  /** The build ends when there are so many files. */
  awaitSigns?: number
}

async function countOfFiles(directory: string, count: number): Promise<void> {
  while (readdirSync(directory).length < count) await sleep(5)
}

async function compile({ root, key, log, signs, signBuild = false, awaitSigns = 0 }: Order): Promise<object> {
  const cache = await cacheIn(root)
  const sign = (): void => {
    if (signs !== undefined) writeFileSync(`${signs}/${process.pid}`, '')
  }
  await using entry = await cache.getOrCompile(
    key,
    async ({ dir }) => {
      const name = `${process.pid}-${++builds}`
      appendFileSync(log, `started ${key} ${name}\n`)
      if (signBuild) sign()
      if (signs !== undefined) await countOfFiles(signs, awaitSigns)
      writeCandidate(dir, name)
      appendFileSync(log, `done ${key} ${name}\n`)
    },
    { onWait: sign, timeoutMs: Infinity },
  )
  return { outcome: entry.outcome, path: entry.path, name: readCandidate(entry.path) }
}

const watched = new Map<string, { looks: number; seen: Set<string>; errors: Set<string> }>()
let watching = false

/** Looks at all the entries all the time, as a reader that knows nothing of locks. */
function look(): void {
  for (const [path, { seen, errors }] of watched) {
    watched.get(path)!.looks++
    try {
      const name = readEntry(path)
      if (name !== null) seen.add(name)
    } catch (error) {
      errors.add((error as Error).message)
    }
  }
  watching = watched.size > 0
  if (watching) setImmediate(look)
}

obey({
  compile,
  /** Some at a time: each key that is waited for has a helper process. */
  compileAll: (order: Order, keys: string[]) =>
    pMap(keys, (key) => compile({ ...order, key }), { concurrency: 4 }),
  watch(path: string) {
    watched.set(path, { looks: 0, seen: new Set(), errors: new Set() })
    if (!watching) look()
  },
  unwatch(path: string) {
    const { looks, seen, errors } = watched.get(path)!
    watched.delete(path)
    return { looks, seen: [...seen], errors: [...errors] }
  },
})
