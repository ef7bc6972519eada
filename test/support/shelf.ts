/** A cache with entries of known size and age. */
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cache, EntryReport } from '../../src/index.js'
import { entryPath } from './caches.js'

/** An entry with one file of `bytes` bytes, last used so long ago; released. */
export async function put(cache: Cache, key: string, bytes: number, unusedForMs = 0): Promise<string> {
  const entry = await cache.getOrCompile(key, ({ dir }) => writeFileSync(join(dir, 'f'), 'x'.repeat(bytes)))
  await entry.release()
  age(cache, key, unusedForMs)
  return entryPath(cache.root, key)
}

/** Makes the entry look as if it was last used so long ago. */
export function age(cache: Cache, key: string, unusedForMs: number): void {
  const then = (Date.now() - unusedForMs) / 1000
  utimesSync(join(entryPath(cache.root, key), 'MANIFEST.json'), then, then)
}

export async function reports(cache: Cache): Promise<EntryReport[]> {
  const entries: EntryReport[] = []
  for await (const entry of cache.list()) entries.push(entry)
  return entries.sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1))
}

/** Keys of all entries, sorted; those of damaged ones are `null`. */
export async function keysIn(cache: Cache): Promise<(string | null)[]> {
  return (await reports(cache)).map(({ key }) => key && (JSON.parse(key) as string))
}
