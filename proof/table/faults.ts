/** What goes wrong while the first process compiles, and the second asks. */
import { rmSync } from 'node:fs'
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
  launchers?: { both?: string[]; second?: string[] }
  /** There is room for so much of the result while the first compiles. */
  roomFor?: number
}

const CONTAINER = ['unshare', '--fork', '--pid', '--mount-proc', '--kill-child']
/** Only the time of day: what has passed is measured right there, too. */
const AHEAD = ['env', 'DONT_FAKE_MONOTONIC=1', 'NO_FAKE_STAT=1', 'faketime', '-f', '+60s']

export const FAULTS = {
  together: { title: 'two ask at once', needs: [] },
  killed: {
    title: 'kill -9 while it writes',
    needs: [],
    strike: (first) => first.kill(),
    isKilled: true,
  },
  stopped: {
    title: 'stopped for longer than the stale time, then goes on',
    needs: [],
    strike: (first) => first.signal('SIGSTOP'),
    relent: (first) => first.signal('SIGCONT'),
    patienceMs: 3 * STALE_MS,
  },
  full: { title: 'the disk is full half-way', needs: [], roomFor: 0.75 },
  cleaned: {
    title: 'a cleaner deletes the lock',
    needs: [],
    strike: (_first, { way, place }) => {
      for (const path of WAYS[way].locks(place)) rmSync(path, { recursive: true, force: true })
    },
  },
  ahead: {
    title: 'the clock of the second is a minute ahead',
    needs: ['faketime'],
    launchers: { second: AHEAD },
  },
  containers: {
    title: 'two containers, the same pid',
    needs: ['root', 'PID namespaces (unshare)'],
    launchers: { both: CONTAINER },
  },
} as const satisfies Record<string, Fault>

export type FaultName = keyof typeof FAULTS
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[]
