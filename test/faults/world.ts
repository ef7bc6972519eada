/** The real host of this process, in which one call fails. */
import { type Failure, decideOn, watched } from '../support/node-fs.js'
import { directDisk, openingBy, pooledDisk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { realPrivateDirectories } from '../../src/host/private-directory.js'
import type { Fault } from './faults.js'

/** In which thread the calls of a `Disk` are made. */
export type Way = 'in thread' | 'in pool'

export interface Setting {
  way: Way
  /** Without koffi: flock(1) takes the locks, and directories are exchanged in two steps. */
  withoutNative?: boolean | undefined
}

const host = realHost()
const native = host.native && watched(host.native)

export function settle({ way, withoutNative = false }: Setting): void {
  host.native = withoutNative ? null : native
  host.privateDirectories = realPrivateDirectories(host.native)
  const inThread = host.native ? openingBy(host.native) : directDisk
  host.diskFor = () => (way === 'in thread' ? inThread : pooledDisk)
}

const { processes } = host
let lives = 0

/** From now on this is another process, which has got the pid of the one that it was. */
export function beginAnotherLife(): void {
  const startTime = `life ${++lives}`
  host.processes = {
    ...processes,
    asOwner: (since) => ({ ...processes.asOwner(since), startTime }),
    startTimeOf: (pid) => (pid === process.pid ? startTime : processes.startTimeOf(pid)),
  }
}

/** Runs `work`, and lets its n-th call below `regions` fail, counted from 1. @returns the names of all calls made */
export async function withFault<T>(
  regions: readonly string[],
  { n, fault }: { n: number; fault: Fault | null },
  work: () => Promise<T>,
): Promise<{ result: T; calls: string[] }> {
  const calls: string[] = []
  decideOn(regions, (name): Failure | null => {
    calls.push(name)
    if (fault === null || calls.length < n || !fault.strikes(name)) return null
    return calls.length === n || fault.persists ? fault : null
  })
  try {
    return { result: await work(), calls }
  } finally {
    decideOn([], null)
  }
}
