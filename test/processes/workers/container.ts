/** The first process of a container: writes files that describe themselves, and waits for locks. */
import { hostname } from 'node:os'
import { type Wait, openCache, withLock, writeFile } from '../../../src/index.js'
import { note, obey } from './obey.js'

let letGo = (): void => undefined

obey({
  identity: () => ({ pid: process.pid, host: hostname() }),
  /** Writes for `ms`, each time `bytes` of one 32-bit number that no other write uses; returns how often. */
  async writeFor(path: string, ms: number, bytes: number, writer: number) {
    const end = performance.now() + ms
    let writes = 0
    while (performance.now() < end || writes === 0) {
      await writeFile(path, new Uint32Array(bytes / 4).fill(writer * 1_000_000 + writes))
      writes++
    }
    return writes
  },
  hold: (path: string) =>
    withLock(path, async () => {
      note('holding')
      await new Promise<void>((resolve) => (letGo = resolve))
    }),
  letGo: () => letGo(),
  status: async (root: string) => (await openCache(root, { existing: true, strict: true })).status(),
  /** Waits for the lock until it has been told who holds it; returns what it was told. */
  async lookWhoHolds(path: string) {
    const told: Wait[] = []
    const controller = new AbortController()
    const onWait = (wait: Wait): void => {
      told.push(wait)
      controller.abort()
    }
    await withLock(path, () => undefined, { onWait, signal: controller.signal }).catch(() => undefined)
    return told[0]
  },
})
