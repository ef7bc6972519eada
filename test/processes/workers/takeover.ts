/** One of several contenders for locks whose holder is dead; a witness that knows nothing of locks sees who is in. */
import { closeSync, openSync, unlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import lockfile from 'proper-lockfile'
import { makeLocker } from '../../support/lockers.js'
import { inStepHost } from '../../support/hosts.js'
import { obey } from './obey.js'

/** Contenders look at the lock at the same moments: this is what makes them collide. */
const TICK_MS = 100
const STALE_MS = 2_000

const ours = makeLocker('lockfile', { host: inStepHost(TICK_MS), staleMs: STALE_MS })

type Release = () => Promise<void>

const TAKERS: Record<string, (path: string) => Promise<Release>> = {
  async cachelatch(path) {
    const lease = await ours.acquire(path)
    return () => lease.release()
  },
  /** As its README has it, but for the retries, which are in step as well. */
  async 'proper-lockfile'(path) {
    for (;;) {
      await inStepHost(TICK_MS).clock.sleep(0)
      try {
        return await lockfile.lock(path, {
          lockfilePath: `${path}.held`,
          realpath: false,
          stale: STALE_MS,
          onCompromised: () => undefined,
        })
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'ELOCKED' && code !== 'ENOENT') throw error
      }
    }
  },
}

obey({
  /** Goes through each lock once; returns those in which it met somebody. */
  async contend(kind: string, paths: string[]) {
    const met: string[] = []
    await Promise.all(
      paths.map(async (path) => {
        const release = await TAKERS[kind]!(path)
        let isAlone = true
        try {
          closeSync(openSync(`${path}.inside`, 'wx'))
        } catch {
          isAlone = false
          met.push(path)
        }
        await sleep(TICK_MS / 4)
        if (isAlone) unlinkSync(`${path}.inside`)
        await release().catch(() => undefined)
      }),
    )
    return met
  },
})
