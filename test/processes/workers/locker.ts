/** Takes and releases locks on command. Who is inside is seen by a witness that knows nothing of locks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, unlinkSync } from 'node:fs'
import type { AcquireOptions, Lease } from '../../../src/lock/locker.js'
import { type LockerName, makeLocker } from '../../support/lockers.js'
import { obey } from './obey.js'

const [, , name, staleMs] = process.argv
const locker = makeLocker(name as LockerName, staleMs === undefined ? {} : { staleMs: Number(staleMs) })
const leases = new Map<string, Lease>()
const signals = new Map<string, AbortSignal>()
let child: ChildProcess | undefined

/** Fails where another is inside: the file system lets only one create the marker. */
function stepInside(path: string): void {
  closeSync(openSync(`${path}.inside`, 'wx'))
}

function stepOutside(path: string): void {
  unlinkSync(`${path}.inside`)
}

obey({
  async acquire(path: string, options: AcquireOptions = {}) {
    const lease = await locker.acquire(path, options)
    leases.set(path, lease)
    signals.set(path, lease.signal)
    return lease.waited
  },
  release: (path: string) => leases.get(path)!.release(),
  /** Whether the holder was told: `lease.signal` is not read anew, which would look. */
  isLost: (path: string) => signals.get(path)!.aborted,

  /** Stops this process; what the lease says when it goes on, before anything else has run. */
  stopAndLook(path: string) {
    process.kill(process.pid, 'SIGSTOP')
    return leases.get(path)!.signal.aborted
  },

  /** Goes in and out; returns how often it found somebody else inside. */
  async contend(path: string, rounds: number) {
    let encounters = 0
    for (let round = 0; round < rounds; round++) {
      const lease = await locker.acquire(path)
      try {
        stepInside(path)
        await new Promise(setImmediate)
        stepOutside(path)
      } catch {
        encounters++
      }
      await lease.release()
    }
    return encounters
  },

  /** Starts a child that has the lock's descriptor open; returns its pid. */
  handOn(path: string) {
    child = spawn('sleep', ['600'], { stdio: ['ignore', 'ignore', 'ignore', leases.get(path)!.handOn()!] })
    return child.pid
  },
  endChild: () =>
    new Promise((resolve) => {
      child!.once('exit', resolve)
      child!.kill('SIGKILL')
    }),

  /** Blocks the event loop, as a compiler that is called in this thread does. */
  block(ms: number) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  },
})
