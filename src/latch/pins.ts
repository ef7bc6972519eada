/**
 * Who uses an entry, where a pin is a lock of its own because no descriptor can be shared (network file systems).
 *
 *   a reader's pin    the lock `pins/<id>.<token>`, held as long as the entry is in use
 *   gc's mark         the lock `pins/<id>.closing`, held while gc looks for pins and moves the entry
 *
 *   reader: P takes its pin     L looks for the mark; seen: waits for its lock, keeping the pin
 *           N looks whether the path still names what it has looked up
 *   gc:     M takes the mark    G lists the pins, tries to take each; one alive: gives up
 *           R moves the entry   G' lists the pins once more; any: puts the entry back   U releases the mark
 *
 * Either the reader sees the mark, or gc sees the pin: if L comes before M, then P is before G, and gc gives up. If L
 * comes after M and before U, the reader does not read before gc is over, one way or the other. After U, either the
 * entry is back or gone, and N sees which. Pins and marks are in one directory, and each side has changed it before
 * it looks: so no client of a network file system answers from what it had remembered of it.
 *
 * A reader that waits for a dead gc's mark takes it over as any lock is taken over. Were gc only stopped, between G
 * and R, it moves the entry after all, in spite of new pins, and G' puts it back. In between, and only then, readers
 * may miss a file; nothing can be torn, since the directory is moved whole.
 *
 * The `memory` locker has the same protocol among the callers in one process, with names in a set for what is on disk.
 */
import type { Stats } from '../host/disk.js'
import { attempt, isErrno, orElse } from '../host/disk-errors.js'
import type { Lease } from '../lock/locker.js'
import { assertInside } from '../store/inside.js'
import { MANIFEST } from '../store/layout.js'
import type { Claiming } from '../store/collect.js'
import { LatchError, isLatchError } from '../core/errors.js'
import { emit } from './events.js'
import type { Opened } from './open.js'

/** The mark is there for milliseconds; of a gc that died, until the lock behind it is known to be dead. */
const LONGEST_MARK_MS = 60_000
const PIN = /^([0-9a-f]{64}\.[0-9a-f]{32})\.held$/

/** Lock paths of this process's pins and marks under the `memory` locker. */
const inMemory = new Set<string>()

/** Resolves to the way to unpin; `null`: gc has been at it for too long. The caller looks whether the path is still there. */
export async function pinByLock(opened: Opened, id: string): Promise<(() => Promise<void>) | null> {
  const { layout, locker, host } = opened
  let pin: Mark
  try {
    pin = await mark(opened, layout.pin(id, host.processes.token()))
  } catch (error) {
    // Who may not write here may still read: on a read-only mount there is mostly no gc either.
    if (!isErrno(error, 'EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT')) throw error
    emit({ type: 'unpinned', path: layout.entry(id), error })
    return () => Promise.resolve()
  }
  const unpin = (): Promise<void> => attempt(pin.release())
  try {
    if (await isMarked(opened, layout.closing(id))) {
      const waited = await locker.acquire(layout.closing(id), { alone: true, timeoutMs: LONGEST_MARK_MS })
      await attempt(waited.release())
    }
    return unpin
  } catch (error) {
    await unpin()
    if (isLatchError(error, 'WAIT_TIMEOUT')) return null
    throw error
  }
}

/** gc's side. Without waiting: what the dead have left counts as theirs until a sweep has watched it. */
export async function claimByLocks(opened: Opened, id: string): Promise<Claiming> {
  const { layout } = opened
  let closing: Mark
  try {
    closing = await mark(opened, layout.closing(id), 0)
  } catch (error) {
    if (isLatchError(error, 'WAIT_TIMEOUT')) return 'in-use'
    throw error
  }
  const letGo = (): Promise<void> => closing.release()
  try {
    const manifest = await identify(opened, layout.entry(id))
    if (manifest === null) return await endWith('missing', letGo)
    const pins = await pinsOf(opened, id)
    const alive = await Promise.all(pins.map((pin) => isHeld(opened, pin)))
    if (alive.includes(true) || closing.signal.aborted) return await endWith('in-use', letGo)
    const isSame = isUnchanged(opened, manifest)
    return {
      usedAt: manifest.usedAt,
      letGo,
      isMeant: async (place) => (await isSame(place)) && (await pinsOf(opened, id)).length === 0,
    }
  } catch (error) {
    await letGo()
    throw error
  }
}

async function endWith<T>(end: T, letGo: () => Promise<void>): Promise<T> {
  await letGo()
  return end
}

interface Seen {
  identity: string
  usedAt: number
  hasManifest: boolean
}

/** What the path names just now, and when it was used. Of a damaged entry without a manifest, the directory. */
export async function identify({ disk }: Opened, entry: string): Promise<Seen | null> {
  const manifest = await orElse(disk.lstat(`${entry}/${MANIFEST}`), null, 'ENOENT', 'ENOTDIR')
  const stats = manifest ?? (await orElse(disk.lstat(entry), null, 'ENOENT', 'ENOTDIR'))
  return stats && seen(stats, manifest !== null)
}

export function seen({ dev, ino, mtimeMs }: Stats, hasManifest: boolean): Seen {
  return { identity: `${dev}:${ino}`, usedAt: mtimeMs, hasManifest }
}

/**
 * Whether what was moved is what was seen, and nobody has used it meanwhile without a pin (unpinned.ts). Of a
 * directory the time says nothing: some file systems change it with every move.
 */
export function isUnchanged(opened: Opened, before: Seen): (place: string) => Promise<boolean> {
  return async (place) => {
    const now = await identify(opened, place)
    return now?.identity === before.identity && (!before.hasManifest || now.usedAt === before.usedAt)
  }
}

type Mark = Pick<Lease, 'signal' | 'release'>

async function mark({ locker, disk }: Opened, path: string, timeoutMs?: number): Promise<Mark> {
  await assertInside(disk, path)
  const lease = await locker.acquire(path, { alone: true, timeoutMs })
  if (locker.kind !== 'memory') return lease
  inMemory.add(path)
  const release = (): Promise<void> => {
    inMemory.delete(path)
    return lease.release()
  }
  return { signal: lease.signal, release }
}

async function isMarked({ disk, locker }: Opened, path: string): Promise<boolean> {
  if (locker.kind === 'memory') return inMemory.has(path)
  return (await orElse(disk.lstat(locker.lockPath(path)), null, 'ENOENT')) !== null
}

async function pinsOf({ disk, layout, locker }: Opened, id: string): Promise<string[]> {
  if (locker.kind === 'memory')
    return [...inMemory].filter((path) => path.startsWith(layout.pin(id, '')) && path !== layout.closing(id))
  const names = (await disk.readdir(layout.pins)).map(({ name }) => PIN.exec(name)?.[1])
  return names.filter((name) => name?.startsWith(`${id}.`)).map((name) => `${layout.pins}/${name}`)
}

async function isHeld({ locker }: Opened, pin: string): Promise<boolean> {
  try {
    const dead = await locker.acquire(pin, { alone: true, timeoutMs: 0 })
    await attempt(dead.release())
    return false
  } catch (error) {
    if (isLatchError(error, 'WAIT_TIMEOUT')) return true
    throw error
  }
}

/** @throws LatchError LOCK_UNAVAILABLE where the locker cannot tell who uses what */
export function assertTells({ locker, layout }: Opened): void {
  if (locker.shares || locker.kind === 'lockfile' || locker.kind === 'memory') return
  throw new LatchError(
    'LOCK_UNAVAILABLE',
    `The \`${locker.kind}\` lock cannot tell which entries are in use.`,
    {
      hint: 'Give the locker `shares`, or remove the whole cache while nobody uses it.',
      path: layout.root,
    },
  )
}
