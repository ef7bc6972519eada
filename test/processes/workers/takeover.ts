/** One of several contenders for locks whose holder is dead; a witness that knows nothing of locks sees who is in. */
import { closeSync, openSync, unlinkSync } from 'node:fs'
import lockfile from 'proper-lockfile'
import { makeLocker } from '../../support/lockers.js'
import { inStepHost } from '../../support/hosts.js'
import { obey } from './obey.js'

/** Contenders look at the lock at the same moments: this is what makes them collide. */
const TICK_MS = 100
const STALE_MS = 2_000
const HOLD_MS = 10

const ours = makeLocker('lockfile', { host: inStepHost(TICK_MS), staleMs: STALE_MS })

interface Taken {
  release(): Promise<void>
  /** Whether the holder was told that it may have lost the lock: a starved machine may stop a heart, too. */
  wasLost(): boolean
}

const TAKERS: Record<string, (path: string) => Promise<Taken>> = {
  async cachelatch(path) {
    const lease = await ours.acquire(path)
    const { signal } = lease
    return { release: () => lease.release(), wasLost: () => signal.aborted }
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
  /** Goes through each lock once; returns those in which it met somebody, and those that it was told it lost. */
  async contend(kind: string, paths: string[]) {
    const met: string[] = []
    const lost: string[] = []
    await Promise.all(
      paths.map(async (path) => {
        const taken = await TAKERS[kind]!(path)
        let isAlone = true
        try {
          closeSync(openSync(`${path}.inside`, 'wx'))
        } catch {
          isAlone = false
          met.push(path)
        }
        stayInside()
        if (isAlone) unlinkSync(`${path}.inside`)
        await taken.release().catch(() => undefined)
        if (taken.wasLost()) lost.push(path)
      }),
    )
    return { met, lost }
  },
})
