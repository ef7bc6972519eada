/** The ways to take one lock that processes compete in. Every `take` waits as long as it takes. */
import { once } from 'node:events'
import { closeSync, writeFileSync } from 'node:fs'
import properLockfile from 'proper-lockfile'
import { directDisk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { lockerOfKind } from '../../src/lock/choose.js'
import { lockWaiting } from '../raw.js'

/** `nothing`: a process that waits for a message, and for no lock: what an idle Node costs by itself. */
export type Kind = 'kernel' | 'lockfile' | 'flock' | 'proper-lockfile' | 'nothing'

/** Takes the lock at `path`; resolves to the way to let go. */
export type Take = (path: string) => Promise<() => unknown>

/** As a careful user sets it up: many tries, the shortest stale time that it allows. */
const PROPER = {
  realpath: false,
  stale: 2_000,
  update: 1_000,
  retries: { retries: 500, minTimeout: 5, maxTimeout: 50 },
  // On a busy machine its heartbeat comes too late; by default it then throws from a timer, and ends the run.
  onCompromised: () => undefined,
}

export function taker(kind: Kind): Take {
  if (kind === 'nothing') return waitForMessage
  if (kind === 'flock') return takeByFlock
  if (kind === 'proper-lockfile') return (path) => properLockfile.lock(path, PROPER)
  const locker = lockerOfKind(realHost(), directDisk, kind)
  return async (path) => {
    const lease = await locker.acquire(path)
    return () => lease.release()
  }
}

async function waitForMessage(): Promise<() => unknown> {
  await once(process, 'message')
  return () => undefined
}

async function takeByFlock(path: string): Promise<() => unknown> {
  const fd = lockWaiting(path)
  return () => closeSync(fd)
}

/** The file that `flock` and `proper-lockfile` need to be there; made once, before anybody starts. */
export function prepare(path: string): string {
  writeFileSync(path, '')
  return path
}
