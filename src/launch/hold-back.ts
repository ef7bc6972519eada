/**
 * `once`: replicas are held back until the first has published what it compiles. It saves CPU where there is little,
 * not time: with cores enough all of them are ready later than if each had compiled for itself (FACTS §4).
 */
import { isLatchError } from '../core/errors.js'
import { attempt } from '../host/disk-errors.js'
import { acquireTold } from '../latch/events.js'
import type { Opened } from '../latch/open.js'
import { readableNamespace } from '../latch/slot-claims.js'
import { sha256 } from '../host/hash.js'
import type { AcquireOptions, Lease } from '../lock/locker.js'
import type { Namespace } from './namespace.js'
import { readSnapshot } from './snapshots.js'

/**
 * Waits until there is a snapshot, or it is this worker's turn to make the first: then a lease, to be released when
 * it has published, or has ended.
 */
export async function waitForFirst(
  opened: Opened,
  namespace: Namespace,
  options: AcquireOptions,
): Promise<Lease | null> {
  const { locker, layout } = opened
  if ((await readSnapshot(opened, namespace)).size > 0) return null
  let lease: Lease
  try {
    const lock = layout.lock(`first-${sha256(namespace.name).slice(0, 32)}`)
    const target = layout.snapshot(namespace.name).entries
    const label = `the first of ${readableNamespace(namespace.name)}`
    lease = await acquireTold(locker, lock, { target }, { ...options, announce: true, label })
  } catch (error) {
    // Who has waited long enough compiles for itself.
    if (isLatchError(error, 'WAIT_TIMEOUT')) return null
    throw error
  }
  let isFirst = false
  try {
    isFirst = (await readSnapshot(opened, namespace)).size === 0
  } finally {
    if (!isFirst) await attempt(lease.release())
  }
  return isFirst ? lease : null
}
