/**
 * The trash: what has been taken out of the cache and is being deleted, or was when its remover died.
 *
 * A removal has two renames. The first takes the thing out of sight, to the remover's token; the remover looks at
 * what it has moved, and may put it back. The second, to `<token>.doomed`, is the point of no return, and nothing
 * else is ever deleted in here. So nobody deletes half of what another is about to put back:
 *   A: moves an entry to T, sees that it is good      B: empties the trash
 *                                                     B: renames T to T.doomed
 *   A: puts T back: ENOENT                            B: deletes it, all of it
 * What was good and is lost so costs a compile; it is rare, because only an old T is taken for a dead remover's.
 */
import type { Disk } from '../host/disk.js'
import { attempt, isErrno, orElse } from '../host/disk-errors.js'
import { assertInside, listInside } from './inside.js'
import type { Layout } from './layout.js'
import { discard } from './stage.js'

const DOOMED = '.doomed'
const TOKEN = /^[0-9a-f]{32}$/

export interface Removal {
  path: string
  /** Names it in the trash. */
  token: string
  /** Whether what was moved is what was meant: else it is put back. */
  isMeant: (place: string) => Promise<boolean>
}

/** Out of the way in one step; returns where it lies to be deleted, `null` when it was gone or is back in its place. */
export async function moveOut(
  disk: Disk,
  layout: Layout,
  { path, token, isMeant }: Removal,
): Promise<string | null> {
  const place = layout.discarded(token)
  try {
    await assertInside(disk, path)
    await disk.rename(path, place)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
  let meant = false
  try {
    meant = await isMeant(place)
  } finally {
    if (!meant) meant = !(await putBack(disk, place, path))
  }
  return meant ? doom(disk, place) : null
}

/** Removes what others have left: the doomed at once, the undecided when it is older than `graceMs`. */
export async function emptyTrash(disk: Disk, layout: Layout, now: number, graceMs: number): Promise<number> {
  let removed = 0
  for (const { name } of await listInside(disk, layout.trash)) {
    const place = `${layout.trash}/${name}`
    if (!TOKEN.test(name)) await discard(disk, place)
    else if (await isOlder(disk, place, now - graceMs)) await discard(disk, await doom(disk, place))
    else continue
    removed++
  }
  return removed
}

/** By the time of the last rename, which a moved directory has in its ctime. */
async function isOlder(disk: Disk, path: string, than: number): Promise<boolean> {
  const stats = await orElse(disk.lstat(path), null, 'ENOENT')
  return stats !== null && stats.ctimeMs <= than
}

/** When this fails, another has doomed it, or will: it stays undecided, and is old one day. */
async function doom(disk: Disk, place: string): Promise<string> {
  await attempt(disk.rename(place, place + DOOMED))
  return place + DOOMED
}

/** `false`: yet another was published meanwhile, and that one stays. */
async function putBack(disk: Disk, place: string, path: string): Promise<boolean> {
  try {
    await disk.rename(place, path)
    return true
  } catch {
    return false
  }
}
