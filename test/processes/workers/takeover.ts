/** One of several contenders for locks whose holder is dead; tells when it was inside, on a clock that all share. */
import lockfile from 'proper-lockfile'
import { makeLocker } from '../../support/lockers.js'
import { inStepHost } from '../../support/hosts.js'
import { obey } from './obey.js'

/** Contenders look at the lock at the same moments: this is what makes them collide. */
const TICK_MS = 100
const STALE_MS = 2_000
const HOLD_MS = 10

const ours = makeLocker('lockfile', { host: inStepHost(TICK_MS), staleMs: STALE_MS })

export interface Stay {
  path: string
  /** By `process.hrtime.bigint()`, which all processes of a host share. */
  from: bigint
  to: bigint
  /** Whether the holder knew, after it had left, that it may not have been alone: a starved machine stops hearts, too. */
  wasLost: boolean
}

interface Taken {
  release(): Promise<void>
  wasLost(): boolean
}

const TAKERS: Record<string, (path: string) => Promise<Taken>> = {
  async cachelatch(path) {
    const lease = await ours.acquire(path)
    return { release: () => lease.release(), wasLost: () => lease.signal.aborted }
  },
  /** As its README has it, but for the retries, which are in step as well. */
  async 'proper-lockfile'(path) {
    for (;;) {
      await inStepHost(TICK_MS).clock.sleep(0)
      let lost = false
      try {
        const release = await lockfile.lock(path, {
          lockfilePath: `${path}.held`,
          realpath: false,
          stale: STALE_MS,
          onCompromised: () => (lost = true),
        })
        return { release, wasLost: () => lost }
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'ELOCKED' && code !== 'ENOENT') throw error
      }
    }
  },
}

/** In without letting anything else run: the hold is as short as it is meant to be, on a busy machine too. */
function stayInside(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HOLD_MS)
}

obey({
  /** Goes through each lock once. */
  async contend(kind: string, paths: string[]): Promise<Stay[]> {
    return Promise.all(
      paths.map(async (path) => {
        const taken = await TAKERS[kind]!(path)
        const from = process.hrtime.bigint()
        stayInside()
        const to = process.hrtime.bigint()
        // In this order: what a holder can be sure of is the time before it asks.
        const wasLost = taken.wasLost()
        await taken.release().catch(() => undefined)
        return { path, from, to, wasLost }
      }),
    )
  },
})
