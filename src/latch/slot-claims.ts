/**
 * Who may touch a slot: the worker that leases it, or gc when it removes it. Whoever has claimed it is alone with it.
 *
 * Invariants:
 * - A slot's lock is held before anything in it is touched, and until the wrapper and the worker are gone: the worker
 *   inherits it. On a network file system, where no lock can be inherited, a slot belongs to one host, and the worker
 *   inherits the gate of that host.
 * - A slot in which a descendant of an earlier worker still runs is nobody's: it was started with the slot's path in
 *   its environment, and inherits no descriptor where Python closes them.
 */
import { isLatchError } from '../core/errors.js'
import { attempt } from '../host/disk-errors.js'
import { sha256 } from '../host/hash.js'
import type { Lease } from '../lock/locker.js'
import type { Opened } from './open.js'

/** In the environment of a worker: its slot's directory. */
export const SLOT_VARIABLE = 'CACHELATCH_SLOT'

/** All that a slot's name depends on: also known of a cache that is not there yet. */
export type SlotPlace = Pick<Opened, 'layout' | 'host'> & { locker: { kind: string } }

/** Of one length on a host, so that a path of one slot can take the place of another's wherever it stands. */
export function slotPath(place: SlotPlace, namespace: string, number: number): string {
  return place.layout.slot(namespace, hostPrefix(place) + String(number).padStart(3, '0'))
}

/** Whether a directory of this name is a slot, and its living worker would be seen from here. */
export function isOurSlot(place: SlotPlace, name: string): boolean {
  const prefix = hostPrefix(place)
  return name.startsWith(prefix) && /^\d{3,}$/.test(name.slice(prefix.length))
}

function hostPrefix({ locker, host }: SlotPlace): string {
  return locker.kind === 'lockfile' ? `${host.processes.asOwner(0).host}.` : ''
}

const MARK = '.ended-well.json'

/** The mark that the slot's last worker has ended well is beside the slot, so that the worker never sees it. */
export const markOf = (path: string): string => path + MARK

/** The name of the slot that the mark of this name is for; `null`: it is no mark. */
export function markedBy(name: string): string | null {
  return name.endsWith(MARK) ? name.slice(0, -MARK.length) : null
}

/** `null`: somebody has it. Never waits. */
export async function claimSlot({ locker, layout, host }: Opened, path: string): Promise<Lease | null> {
  const id = sha256(path.slice(layout.root.length)).slice(0, 32)
  let lease: Lease
  try {
    const label = labelOf(path.slice(layout.slots.length + 1))
    lease = await locker.acquire(layout.lock(`slot-${id}`), { timeoutMs: 0, announce: true, label })
  } catch (error) {
    if (isLatchError(error, 'WAIT_TIMEOUT')) return null
    throw error
  }
  if (host.processes.startedWith(SLOT_VARIABLE, path).length === 0) return lease
  await attempt(lease.release())
  return null
}

/** `slot 3 of vllm`, for those who ask who holds the lock. @param place `<namespace>/<name>` */
function labelOf(place: string): string {
  const [namespace = '', name = ''] = place.split('/')
  return `slot ${Number(/\d+$/.exec(name)?.[0])} of ${readableNamespace(namespace)}`
}

/** Without the hash of its key, which tells people nothing. */
export function readableNamespace(name: string): string {
  return name.replace(/-[0-9a-f]{16}$/, '')
}
