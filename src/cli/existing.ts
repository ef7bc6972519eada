/** The cache that a command looks at: never created by looking. */
import { type Cache, openCache } from '../latch/cache.js'
import { cacheDirectory } from './common-options.js'

/** @throws LatchError NO_CACHE */
export function openExisting(option: string | undefined): Promise<Cache> {
  return openCache(cacheDirectory(option), { existing: true, strict: true })
}
