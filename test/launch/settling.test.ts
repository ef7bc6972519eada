/** When a unit of a running worker is published: look by look, and what happens between two of them. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Host, realHost } from '../../src/host/host.js'
import { useScratch } from '../support/scratch.js'
import { filesBelow, generationsIn, prepareTestWorker, snapshotIn } from '../support/slot-workers.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const SETTLE_MS = 60 * 60 * 1000

/** A host on which a publisher looks at its slot when it is told to. */
function steppedLooks(): { host: Host; look: () => Promise<void> } {
  const host = realHost()
  let wake: (() => void) | undefined
  const sleep: Host['clock']['sleep'] = (ms, signal) => {
    if (ms < SETTLE_MS || signal?.aborted) return host.clock.sleep(ms, signal)
    return new Promise((resolve, reject) => {
      wake = resolve
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
  }
  const look = async (): Promise<void> => {
    const proceed = await until('it sleeps', () => wake)
    wake = undefined
    proceed()
    await until('it sleeps again', () => wake !== undefined)
  }
  return { host: { ...host, clock: { ...host.clock, sleep } }, look }
}

test('a unit that changes between two looks is published when it has not changed between the next two', async () => {
  const cache = scratch()
  const { host, look } = steppedLooks()
  const worker = await prepareTestWorker(cache, { settleMs: SETTLE_MS }, host)
  worker.started()
  worker.write('groups/g/1', 'one')
  await look()
  worker.write('groups/g/2', 'two')
  await look()
  expect(worker.saw('worker-published')).toEqual([])
  await look()
  expect(worker.saw('worker-published')).toMatchObject([{ unit: 'groups/g', generation: 1 }])
  const unit = (await snapshotIn(cache)).get('groups/g')!
  expect(filesBelow(join(unit.path, 'files'))).toEqual(['groups/g/1', 'groups/g/2'])
  await worker.ended(137)
})

test('a worker that is ending while its files are copied: what it has left is not published', async () => {
  const cache = scratch()
  const { host, look } = steppedLooks()
  const pid = 2 ** 22 + 1
  let isEnding = false
  const startTimeOf: Host['processes']['startTimeOf'] = (asked) =>
    asked === pid ? (isEnding ? null : '1') : host.processes.startTimeOf(asked)
  const dying = { ...host, processes: { ...host.processes, startTimeOf } }
  const worker = await prepareTestWorker(cache, { settleMs: SETTLE_MS }, dying)
  worker.started(pid)
  worker.write('groups/whole/f', 'whole')
  await look()
  await look()
  worker.write('groups/half/f', 'ha')
  await look()
  // The kernel has marked it as exiting, and its parent is told of that in a while.
  isEnding = true
  await look()
  await worker.ended(137)
  expect(await generationsIn(cache)).toEqual({ 'groups/whole': 1 })
})

test('a worker that has ended badly while its files are copied: what it has left is not published', async () => {
  const cache = scratch()
  const { host, look } = steppedLooks()
  let ending: Promise<void> | undefined
  const copying: Host = {
    ...host,
    diskFor(fileSystem) {
      const disk = host.diskFor(fileSystem)
      return {
        ...disk,
        async copy(from, to) {
          ending ??= worker.ended(1)
          return disk.copy(from, to)
        },
      }
    },
  }
  const worker = await prepareTestWorker(cache, { settleMs: SETTLE_MS }, copying)
  worker.started()
  worker.write('groups/g/f', 'half')
  await look()
  await Promise.race([look(), until('it has ended in the middle of a copy', () => ending !== undefined)])
  await ending
  expect(await generationsIn(cache)).toEqual({})
})
