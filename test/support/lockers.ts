/** Every locker that the contract is for. */
import { type Host, realHost } from '../../src/host/host.js'
import { createKernelLocker } from '../../src/lock/kernel.js'
import type { Locker } from '../../src/lock/locker.js'
import { createLockfileLocker } from '../../src/lock/lockfile.js'
import { createMemoryLocker } from '../../src/lock/memory.js'
import { WORKPLACE } from './workplace.js'

/** The shortest stale time that there is. */
export const STALE_MS = 2_000

export const ACROSS_PROCESSES = [
  'kernel',
  'kernel by flock(1)',
  'lockfile',
  'lockfile without a gate',
] as const
export const LOCKERS = [...ACROSS_PROCESSES, 'memory'] as const
export type LockerName = (typeof LOCKERS)[number]

export interface Making {
  host?: Host
  staleMs?: number
}

/** A locker that shares nothing with another made before: to each other, they are as two processes. */
export function makeLocker(name: LockerName, { host = realHost(), staleMs = STALE_MS }: Making = {}): Locker {
  const disk = host.diskFor(host.inspect(WORKPLACE))
  switch (name) {
    case 'kernel':
      return createKernelLocker(host, disk)
    case 'kernel by flock(1)':
      return createKernelLocker({ ...host, native: null }, disk)
    case 'lockfile':
      return createLockfileLocker(host, disk, { staleMs })
    case 'lockfile without a gate':
      return createLockfileLocker(host, disk, { staleMs, gateDirectory: null })
    default:
      return createMemoryLocker(host, disk)
  }
}
