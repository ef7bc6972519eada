/**
 * The life of a stage: a lock of its own, held from before the first byte until after the rename, so that gc can tell
 * a stage that is being written from one that a crash left.
 */
import type { Disk } from '../host/disk.js'
import { attempt, isErrno, orElse } from '../host/disk-errors.js'
import { assertDirectories } from '../store/format.js'
import { collectLeftovers } from '../store/leftovers.js'
import { type Staged, discard } from '../store/stage.js'
import type { AcquireOptions } from '../lock/locker.js'
import { DEFAULT_GRACE_MS } from './last-use.js'
import { type Opened, gone } from './open.js'

/** Each time, gc has been faster than the writer: it takes a grace time of almost nothing for that to happen at all. */
const MAX_TRIES = 10

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
  await assertDirectories(opened.disk, opened.layout)
  for (let tries = 1; ; tries++) {
    const path = opened.layout.staged(opened.host.processes.token())
    let stage: Staged | undefined
    try {
      stage = { path, fd: await makeStage(make, path) }
      const made = stage
      return await whileAlive(opened, path, made.fd, () => work(made))
    } catch (error) {
      if (!(error instanceof StageTaken)) throw error
      if (tries === MAX_TRIES) throw error.cause
    } finally {
      await clear(opened, path, stage)
    }
  }
}

/** Only of what we have made: in its place somebody may have put a directory that is worth more (CVE-2026-112937). */
async function clear({ disk }: Opened, path: string, stage: Staged | undefined): Promise<void> {
  if (stage === undefined || (await isLeft(disk, stage))) await discard(disk, path)
  if (stage !== undefined) await attempt(disk.close(stage.fd))
}

/** Nothing is, after a rename that went well. */
async function isLeft(disk: Disk, { path, fd }: Staged): Promise<boolean> {
  try {
    const [ours, there] = [await disk.fstat(fd), await disk.lstat(path)]
    return ours.ino === there.ino && ours.dev === there.dev
  } catch (error) {
    return !isErrno(error, 'ENOENT')
  }
}

/** gc has removed the stage before it was locked. */
class StageTaken extends Error {
  constructor(cause: unknown) {
    super('the stage was removed before it was locked', { cause })
  }
}

async function makeStage(make: (path: string) => Promise<number>, path: string): Promise<number> {
  try {
    return await make(path)
  } catch (error) {
    throw isErrno(error, 'ENOENT') ? new StageTaken(error) : error
  }
}

/**
 * Only a look *after* locking proves that it was in time:
 *   we: make the stage, open it     gc: locks it, removes it, lets go
 *   we: lock what is no longer there
 */
async function whileAlive<T>(
  { disk, locker }: Opened,
  path: string,
  fd: number,
  work: () => Promise<T>,
): Promise<T> {
  const checkThatInTime = async (locked: boolean): Promise<void> => {
    const [ours, there] = [await disk.fstat(fd), await orElse(disk.lstat(path), null, 'ENOENT')]
    if (locked && there !== null && there.ino === ours.ino && there.dev === ours.dev) return
    throw new StageTaken(gone(path, 'The stage was removed as soon as it was made, again and again'))
  }
  if (locker.shares) {
    // Closing ends the claim.
    await checkThatInTime(await locker.shares.claim(fd))
    return work()
  }
  const lease = await locker.acquire(path, { alone: true })
  try {
    await checkThatInTime(true)
    return await work()
  } finally {
    await attempt(lease.release())
  }
}

const swept = new WeakSet<Opened>()

/**
 * Once a process and cache, by those who write anyway: looks for what crashes have left. Young stages are left alone:
 * their writer may be about to lock them, and would have to make another.
 */
export async function sweepOnce(opened: Opened): Promise<void> {
  if (swept.has(opened) || !opened.locker.shares) return
  swept.add(opened)
  await attempt(sweep(opened, DEFAULT_GRACE_MS, 0))
}

/** Removes leftovers; returns how many. */
export async function sweep(opened: Opened, graceMs: number, waitMs: number): Promise<number> {
  const { disk, layout, locker, host } = opened
  await assertDirectories(disk, layout)
  const claim = async (path: string): Promise<(() => Promise<void>) | null> => {
    if (!locker.shares) return claimByLock(opened, path, waitMs)
    const fd = await disk.openRead(path)
    let claimed = false
    try {
      claimed = await locker.shares.claim(fd)
      return claimed ? () => disk.close(fd) : null
    } finally {
      if (!claimed) await disk.close(fd)
    }
  }
  const tidy = async (lockPath: string): Promise<boolean> => {
    // A record of our own takes the place of the dead one's, and release removes it.
    const letGo = await claimByLock(opened, lockPath, waitMs, { announce: true })
    await letGo?.()
    return letGo !== null
  }
  const now = host.clock.wallTime()
  return collectLeftovers(disk, layout, { now, graceMs, claim, tidy, here: host.processes })
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
