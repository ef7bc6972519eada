/**
 * What one world is like: each seed switches on some of the faults and leaves out the others, so that none hides what
 * another would have found (swarm testing), and what must hold depends on which.
 */
import type { Chance } from './random.js'

export interface Swarm {
  locker: 'kernel' | 'lockfile'
  /** The cache is on a file system that several machines share. */
  network: boolean
  machines: number
  /** Kernel locks exclude only those on the same machine, and nobody says so. */
  lies: boolean
  /** flock(2) can be called; else flock(1) has to. */
  native: boolean
  flockCommand: boolean
  /** Reads of a local file system are made in one go. */
  inThread: boolean
  /** See client.ts. */
  remembers: boolean
  memoryMs: number
  /** See volume.ts. */
  ordered: boolean
  staleMs: number
  processesAtOnce: number
  processes: number
  keys: number
  slowClocks: boolean
  clockJumps: boolean
  kills: boolean
  powerCuts: boolean
  machineCrashes: boolean
  /** Processes are stopped, as by SIGSTOP. */
  stops: boolean
  /** Event loops are blocked; hearts beat on. */
  stalls: boolean
  slowCalls: boolean
  errors: boolean
  fullDisk: boolean
  /** Old lock files, and gates, are deleted by somebody. */
  cleaners: boolean
  /** The whole cache is deleted by somebody. */
  deletions: boolean
  collectors: boolean
  failingBuilds: boolean
  aborts: boolean
  impatience: boolean
  /** How much of all that is done is this. */
  compiles: number
  locks: number
  writes: number
  workers: number
  /** How many slots there are. */
  maxSlots: number
  settleMs: number
}

/** How likely each fault is switched on. */
const ON = 0.3

export function chooseSwarm(chance: Chance, locker?: Swarm['locker']): Swarm {
  const kind = locker ?? chance.pick(['kernel', 'lockfile'] as const)
  const on = (probability = ON): boolean => chance.happens(probability)
  const lies = kind === 'kernel' && on(0.2)
  const network = lies || (kind === 'lockfile' && on(0.8))
  const native = on(0.7)
  // A network lock works without any kernel lock, and then without a gate.
  const noKernelLocks = kind === 'lockfile' && on(0.2)
  return {
    locker: kind,
    network,
    machines: network ? chance.pick([1, 2, 3, 3]) : 1,
    lies,
    native: native && !noKernelLocks,
    flockCommand: !noKernelLocks && (!native || on(0.8)),
    inThread: on(0.4),
    remembers: network && on(),
    memoryMs: chance.magnitude(100, 60_000),
    ordered: on(0.5),
    staleMs: chance.pick([2_000, 5_000, 15_000]),
    processesAtOnce: chance.integer(2, 6),
    processes: chance.integer(3, 12),
    keys: chance.integer(1, 3),
    slowClocks: on(),
    clockJumps: on(),
    kills: on(0.4),
    powerCuts: on(),
    machineCrashes: network && on(),
    stops: on(),
    stalls: on(),
    slowCalls: on(0.4),
    errors: on(0.2),
    fullDisk: on(0.15),
    cleaners: on(0.2),
    deletions: on(0.1),
    collectors: on(0.6),
    failingBuilds: on(),
    aborts: on(0.2),
    impatience: on(0.2),
    // One of them is left out often: then the others meet more.
    compiles: chance.integer(0, 4),
    locks: chance.integer(0, 5),
    writes: chance.integer(0, 2),
    workers: on(0.4) ? chance.integer(1, 4) : 0,
    maxSlots: chance.integer(1, 3),
    settleMs: chance.pick([0, 20, 500, 5_000]),
  }
}

export function describeSwarm(swarm: Swarm): string {
  return Object.entries(swarm)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => (value === true ? name : `${name}=${value}`))
    .join(' ')
}
