/** `locks/<name>.waiting.<token>.json`: who waits for a lock, as told by those who do. See lock/waiting-records.ts. */
import { type Waiter, parseWaiter } from '../core/waiter.js'
import type { Disk } from '../host/disk.js'
import { readSmallFile } from '../host/small-file.js'

const MAX_BYTES = 16 * 1024
const NAME = /^(.+)\.waiting\.[0-9a-f]{32}\.json$/

/** The name of the lock that the file of this name is about, if it is one of these. */
export function waitedFor(name: string): string | null {
  return NAME.exec(name)?.[1] ?? null
}

/** `null`: the wait is over meanwhile, or it is no such record. */
export async function readWaiter(disk: Disk, path: string): Promise<Waiter | null> {
  try {
    return parseWaiter(JSON.parse(await readSmallFile(disk, path, MAX_BYTES)))
  } catch {
    return null
  }
}
