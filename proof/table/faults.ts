/** What goes wrong while the first process compiles, and the second asks. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Need } from '../../test/support/needs.js'
import type { Asker } from './asker.js'
import { WAYS, type WayName } from './ways.js'
import { STALE_MS } from './ways/way.js'

export interface Fault {
  title: string
  needs: Need[]
  /** Done to the first while it stands still, before the second asks. */
  strike?(first: Asker, scene: { way: WayName; place: string }): Promise<void> | void
  /** Done when the second has got as far as it gets. */
  relent?(first: Asker): void
  /** The first is dead: what it compiled was for nobody. */
  isKilled?: boolean
  /** The second gets so long to go on without the first. */
  patienceMs?: number
  /** The first is meant to lie still for longer than the stale time: else a lock that grows stale is the machine's fault. */
  mayGrowStale?: boolean
  launcher?: string[]
  envOfSecond?: NodeJS.ProcessEnv
  /** There is room for so much of the result while the first compiles. */
  roomFor?: number
}

const CONTAINER = ['unshare', '--fork', '--pid', '--mount-proc', '--kill-child']
/** The time of day only; in the threads as well. The Python side looks at CLOCK_AHEAD_S itself. */
const AHEAD = {
  NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'clock-ahead.js')).href}`,
  CLOCK_AHEAD_S: '60',
}

export const FAULTS = {
  together: { title: 'two ask at once', needs: [] },
  killed: {
    title: 'kill -9 while it writes',
    needs: [],
    strike: (first) => first.kill(),
    isKilled: true,
    mayGrowStale: true,
  },
  stopped: {
    title: 'stopped for longer than the stale time, then goes on',
    needs: [],
    strike: (first) => first.signal('SIGSTOP'),
    relent: (first) => first.signal('SIGCONT'),
    patienceMs: 3 * STALE_MS,
    mayGrowStale: true,
  },
  full: { title: 'the disk is full half-way', needs: [], roomFor: 0.75 },
  cleaned: {
    title: 'a cleaner deletes the lock',
    needs: [],
    strike: (_first, { way, place }) => {
      for (const path of WAYS[way].locks(place)) rmSync(path, { recursive: true, force: true })
    },
  },
  ahead: { title: 'the clock of the second is a minute ahead', needs: [], envOfSecond: AHEAD },
  containers: {
    title: 'two containers, the same pid',
    needs: ['root', 'PID namespaces (unshare)'],
    launcher: CONTAINER,
  },
} as const satisfies Record<string, Fault>

export type FaultName = keyof typeof FAULTS
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[]
