/** When an entry was last used, by which gc goes: the time of its manifest, which every hit reads anyway. */
import type { Disk } from '../host/disk.js'
import { attempt } from '../host/disk-errors.js'
import { MANIFEST } from '../store/layout.js'

/** A use is noted at most so often by those who pin: gc leaves their entries alone by the pin. */
export const NOTED_EVERY_MS = 60 * 60 * 1000

/** What was used or changed more recently is left alone by gc, unless it is told another time. */
export const DEFAULT_GRACE_MS = 60_000

/** @param entry the entry's directory. Where this user may not change it, nothing is noted. */
export async function noteUse(disk: Disk, entry: string, now: number): Promise<void> {
  await attempt(disk.utimes(`${entry}/${MANIFEST}`, now / 1000))
}
