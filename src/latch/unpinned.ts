/**
 * A hit for a process that prints the path and ends, as `cachelatch once` does. A pin would end with it, before
 * anybody has used the path: so none is taken, and neither a locker nor what a locker loads is needed.
 *
 * What then keeps the entry from gc for a while is its last use, noted first and looked at last on either side:
 *
 *   we:  T note the use (where the last one is over HALF_GRACE_MS ago)    L look whether the path still names it
 *   gc:  P plan by the last use    C claim the entry    R move it away    V look at what was moved, and its last use
 *
 * - T before R: V sees it, and gc puts the entry back. Whoever reads in between, for microseconds, misses a file.
 * - R before T: T changes nothing, and L sees that nothing is there, or what gc has put back.
 * - No T: by that last use, a P half a grace time from now at the earliest takes the entry; after an earlier P, C or V
 *   sees the use.
 * So what is handed out stays for half a grace time at least (30 s) under a gc with the usual one. Not where this user
 * may not change the manifest, nor where a network file system remembers times for some seconds: there it may go at
 * once, as any entry may after its release.
 *
 * All calls are made in the calling thread, on every file system: nothing else in the process waits for them.
 */
import { type Key, canonicalKey, keyLabel } from '../core/key.js'
import { realAppending } from '../host/append-file.js'
import { realClock } from '../host/clock.js'
import { realDirectory } from '../host/directories.js'
import { type Disk, directDisk } from '../host/disk.js'
import { sha256 } from '../host/hash.js'
import { countNow } from '../store/count.js'
import { mendDirectories, readFormat } from '../store/format.js'
import { FILES, Layout } from '../store/layout.js'
import { type Check, type Found, isStillNamed, lookUp } from '../store/lookup.js'
import type { Entry } from './entry.js'
import { emit } from './events.js'
import { DEFAULT_GRACE_MS, noteUse } from './last-use.js'
import { recordIfAsked } from './recording.js'

const HALF_GRACE_MS = DEFAULT_GRACE_MS / 2

/**
 * The entry, or `null` where `getOrCompile` has to look more closely, for whatever reason: it meets the same trouble
 * again, and says what it is.
 */
export async function findUnpinned(
  root: string,
  key: Key,
  check: Check = 'sizes',
  disk: Disk = directDisk,
): Promise<Pick<Entry, 'path' | 'outcome'> | null> {
  await recordIfAsked()
  const started = realClock.now()
  try {
    const canonical = canonicalKey(key)
    const layout = new Layout(realDirectory(root))
    const found = await findNoted(disk, layout, canonical, check)
    if (found === null) return null
    const path = `${found.path}/${FILES}`
    const elapsedMs = realClock.now() - started
    emit({ type: 'obtained', key: canonical, path, outcome: 'hit', elapsedMs })
    const counts = { hits: 1, savedMs: Math.max(0, found.manifest.buildMs - elapsedMs) }
    countNow(realAppending, layout, [
      { at: realClock.wallTime(), id: sha256(canonical), key: keyLabel(canonical), counts },
    ])
    return { path, outcome: 'hit' }
  } catch {
    return null
  }
}

async function findNoted(disk: Disk, layout: Layout, key: string, check: Check): Promise<Found | null> {
  if ((await readFormat(disk, layout)) === null) return null
  await mendDirectories(disk, layout)
  const found = await lookUp(disk, layout.entry(sha256(key)), key, check)
  if (found.state !== 'hit') return null
  try {
    const now = realClock.wallTime()
    if (Math.abs(now - found.stats.mtimeMs) > HALF_GRACE_MS) await noteUse(disk, found.path, now)
    return (await isStillNamed(disk, found)) ? found : null
  } finally {
    await disk.close(found.fd)
  }
}
