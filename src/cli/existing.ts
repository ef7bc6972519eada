/** The cache that a command looks at: never created by looking. */
import { resolve } from 'node:path'
import { defaultCacheDirectory } from '../host/settings.js'
import { type Cache, openCache } from '../latch/cache.js'

export function cacheDirectory(option: string | undefined): string {
  return resolve(option ?? defaultCacheDirectory())
}

/** @throws LatchError NO_CACHE */
export function openExisting(option: string | undefined): Promise<Cache> {
  return openCache(cacheDirectory(option), { existing: true, strict: true })
}
