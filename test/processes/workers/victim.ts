/** Asks once for a key, and stands still for ever at one of the steps on the way, until somebody kills it. */
import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { directDisk } from '../../../src/host/disk.js'
import { realHost } from '../../../src/host/host.js'
import { HeldDirectory } from '../../../src/lock/held-directory.js'
import { openTestCache } from '../../support/caches.js'
import { writeCandidate } from '../../support/candidate.js'
import { watchedDisk, watchedHost } from '../../support/hosts.js'
import { prepareTestWorker } from '../../support/slot-workers.js'
import { obey } from './obey.js'

/** Calls that change nothing: what is before and after them is before and after their neighbours. */
const READS = /^(openRead|close|fstat|lstat|read|readdir|readlink|now|sleep)$/

export interface Victim {
  root: string
  locker: string
  staleMs: number
  log: string
  /** The number of the step, or its name; none, to go to the end. */
  standStillAt?: number | string
  /** Created when the step is reached, with its name. */
  sign: string
}

/** Counts steps; never returns from the chosen one. */
function stepper({ standStillAt, sign }: Victim): { at: (name: string) => void; count: () => number } {
  let count = 0
  return {
    count: () => count,
    at(name) {
      if (READS.test(name.split(' ')[1] ?? '') || (++count !== standStillAt && name !== standStillAt)) return
      writeFileSync(`${sign}.new`, name)
      renameSync(`${sign}.new`, sign)
      // This thread runs no further; the others do.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    },
  }
}

/** A cache that stands still at the step that is asked for. */
async function openStepped(order: Victim) {
  const { at, count } = stepper(order)
  const host = watchedHost(
    realHost(),
    (name) => at(`before ${name}`),
    (name) => at(`after ${name}`),
  )
  return { at, count, cache: await openTestCache(host, order.root, order) }
}

obey({
  /** Returns how many steps there were. */
  async compile(order: Victim) {
    const { at, count, cache } = await openStepped(order)
    const entry = await cache.getOrCompile('model', ({ dir }) => {
      const name = String(process.pid)
      writeCandidate(dir, name, (where) => at(`build: ${where}`))
      appendFileSync(order.log, `done model ${name}\n`)
    })
    await entry.release()
    return count()
  },

  /** Removes all entries that nobody uses. */
  async collect(order: Victim) {
    const { count, cache } = await openStepped(order)
    const { removed } = await cache.gc({ maxBytes: 0, graceMs: 0 })
    return { steps: count(), removed: removed.length }
  },

  /** A worker's whole life in a slot, with one unit published anew and one that has grown; returns its steps. */
  async launch(order: Victim) {
    const { at, count } = stepper(order)
    const host = watchedHost(
      realHost(),
      (name) => at(`before ${name}`),
      // What is after one call is before the next.
      () => undefined,
    )
    const options = { locker: order.locker as 'kernel', staleMs: order.staleMs }
    const worker = await prepareTestWorker(order.root, options, host)
    worker.started()
    worker.write('groups/a/more', 'more')
    worker.write('groups/b/kernel', 'b')
    at('worker: has written')
    await worker.ended(0)
    return count()
  },

  /** The steps of the lock that are made in the heartbeat thread, made here. */
  async takeHeldDirectory(order: Victim, path: string) {
    const { at, count } = stepper(order)
    const disk = watchedDisk(
      directDisk,
      (name) => at(`before ${name}`),
      (name) => at(`after ${name}`),
    )
    const held = new HeldDirectory(disk, path)
    const token = realHost().processes.token()
    await held.take(token)
    await held.remove(token)
    return count()
  },
})
