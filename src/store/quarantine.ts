/** Out of the way in one step, then deleted: never a half-deleted entry under its name. */
import type { Disk } from '../host/disk.js'
import type { Layout } from './layout.js'
import { type Check, isGood } from './lookup.js'
import { discard } from './stage.js'
import { moveOut } from './trash.js'

export interface Suspect {
  id: string
  key: string
  /** The look that found the damage: a laxer one would find none, and put it back. */
  check: Check
  /** Names it in the trash. */
  token: string
}

/**
 * Moves the damaged entry into the trash and deletes it there. Looks at what was moved, because:
 *   A: sees damage        B: sees damage, quarantines, compiles, publishes
 *   A: quarantines: this moves B's good entry
 * A good entry is put back; if yet another was published meanwhile, that one stays.
 */
export async function quarantine(
  disk: Disk,
  layout: Layout,
  { id, key, check, token }: Suspect,
): Promise<void> {
  // An error of the disk that has passed is no damage, and who has the entry in hand would miss it meanwhile.
  if (await isGood(disk, layout.entry(id), key, check)) return
  const isMeant = async (place: string): Promise<boolean> => !(await isGood(disk, place, key, check))
  const doomed = await moveOut(disk, layout, { path: layout.entry(id), token, isMeant })
  if (doomed !== null) await discard(disk, doomed)
}
