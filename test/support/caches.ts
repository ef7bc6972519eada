/** Caches by root, opened once; and what there is in one. */
import { readdirSync } from 'node:fs'
import { type Cache, type CacheOptions, openCacheOn } from '../../src/latch/cache.js'
import type { Host } from '../../src/host/host.js'
import type { Key } from '../../src/core/key.js'
import { canonicalKey } from '../../src/core/key.js'
import { sha256 } from '../../src/host/hash.js'
import { Layout } from '../../src/store/layout.js'
import { nobodyWaits } from './nobody-waits.js'

export interface Settings {
  /** `nobody`: a lock that lets everybody in. */
  locker: string
  staleMs?: number | undefined
}

export function openTestCache(host: Host, root: string, { locker, staleMs }: Settings): Promise<Cache> {
  const chosen = locker === 'nobody' ? nobodyWaits : (locker as CacheOptions['locker'])
  return openCacheOn(host, root, { strict: true, staleMs, locker: chosen })
}

/** Where the entry of `key` is, once there is one. */
export function entryPath(root: string, key: Key): string {
  return new Layout(root).entry(sha256(canonicalKey(key)))
}

/** Everything in the cache that is neither an entry, nor the format, nor a lock file, nor statistics. */
export function leftoversIn(root: string): string[] {
  const files = readdirSync(root, { recursive: true }) as string[]
  const layout = new Layout('')
  const { top, format, slots, snapshots, directories } = layout
  const kept = new Set([top, format, slots, snapshots, ...directories])
  return files
    .filter((file) => !kept.has(file))
    .filter((file) => !/^v1\/entries\/|^v1\/stats(\/|$)|^v1\/locks\/[^/]+\.lock$/.test(file))
    .sort()
}
