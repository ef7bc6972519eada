/** Excludes within one process only: the queue of the frame is all it needs. For tests, and for single processes. */
import type { Disk } from '../host/disk.js'
import type { Host } from '../host/host.js'
import type { Locker } from './locker.js'
import { createLocker } from './frame.js'
import type { Held, Mechanism } from './mechanism.js'

const held: Held = {
  release: () => Promise.resolve(),
  onLost: () => undefined,
  isSure: () => true,
  check: () => Promise.resolve(true),
  handOn: () => null,
}

const mechanism: Mechanism = {
  kind: 'memory',
  canShare: true,
  lockPath: (path) => `memory:${path}`,
  tryTake: () => Promise.resolve(held),
  take: () => Promise.resolve(held),
}

export function createMemoryLocker(host: Host, disk: Disk): Locker {
  return createLocker(host, disk, mechanism)
}
