/**
 * The life of a stage: a lock of its own, held from before the first byte until after the rename, so that gc can tell
 * a stage that is being written from one that a crash left.
 */
import { attempt } from '../host/disk-errors.js'
import { collectLeftovers } from '../store/leftovers.js'
import { type Staged, discard } from '../store/stage.js'
import type { AcquireOptions } from '../lock/locker.js'
import type { Opened } from './open.js'

/**
 * Runs `work` in a new stage and removes what it leaves there, on every way out. What happens after `work` has
 * ended well never makes it fail.
 * @param make creates the stage at the path it is given, and opens it
 */
export async function inStage<T>(
  opened: Opened,
  make: (path: string) => Promise<number>,
  work: (stage: Staged) => Promise<T>,
): Promise<T> {
  const path = opened.layout.staged(opened.host.processes.token())
  try {
    const fd = await make(path)
    try {
      return await whileAlive(opened, path, fd, () => work({ path, fd }))
    } finally {
      await attempt(opened.disk.close(fd))
    }
  } finally {
    await discard(opened.disk, path)
  }
}

async function whileAlive<T>(
  { locker }: Opened,
  path: string,
  fd: number,
  work: () => Promise<T>,
): Promise<T> {
  if (locker.shares) {
    // Nobody else knows this name yet, and gc leaves what is young alone. Closing ends the claim.
    await locker.shares.claim(fd)
    return work()
  }
  const lease = await locker.acquire(path, { alone: true })
  try {
    return await work()
  } finally {
    await attempt(lease.release())
  }
}

/** Younger stages are left alone: their writer may be about to lock them. */
export const DEFAULT_GRACE_MS = 60_000

const swept = new WeakSet<Opened>()

/** Once a process and cache, by those who write anyway: looks for what crashes have left. */
export async function sweepOnce(opened: Opened): Promise<void> {
  if (swept.has(opened) || !opened.locker.shares) return
  swept.add(opened)
  await attempt(sweep(opened, DEFAULT_GRACE_MS, 0))
}

/** Removes leftovers; returns how many. */
export function sweep(opened: Opened, graceMs: number, waitMs: number): Promise<number> {
  const { disk, layout, locker, host } = opened
  const claim = async (path: string): Promise<(() => Promise<void>) | null> => {
    if (!locker.shares) return claimByLock(opened, path, waitMs)
    const fd = await disk.openRead(path)
    if (await locker.shares.claim(fd)) return () => disk.close(fd)
    await disk.close(fd)
    return null
  }
  const tidy = async (lockPath: string): Promise<boolean> => {
    // A record of our own takes the place of the dead one's, and release removes it.
    const letGo = await claimByLock(opened, lockPath, waitMs, { announce: true })
    await letGo?.()
    return letGo !== null
  }
  return collectLeftovers(disk, layout, { now: host.clock.wallTime(), graceMs, claim, tidy })
}

async function claimByLock(
  { locker }: Opened,
  path: string,
  waitMs: number,
  options: AcquireOptions = { alone: true },
): Promise<(() => Promise<void>) | null> {
  try {
    const lease = await locker.acquire(path, { ...options, timeoutMs: waitMs })
    return () => lease.release()
  } catch {
    return null
  }
}
