/** The lock for network file systems: a holder that is slow keeps it, one that is gone loses it, and is told. */
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { entryPath } from '../support/caches.js'
import { readEntry } from '../support/candidate.js'
import { STALE_MS } from '../support/lockers.js'
import { isStopped } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import type { WorkerProcess } from '../support/worker-process.js'

const STOPS_ONCE_IT_HAS_TAKEN = pathToFileURL(
  join(import.meta.dirname, 'workers/stops-once-it-has-taken.js'),
).href

const scratch = useScratch()
const startWorker = useWorkers()
let path: string
let gates: string

beforeEach(() => {
  path = `${scratch('locks')}/model`
  gates = scratch('gates')
})

async function stop(worker: WorkerProcess): Promise<void> {
  worker.signal('SIGSTOP')
  await hasStopped(worker)
}

function hasStopped(worker: WorkerProcess): Promise<boolean> {
  return until('it has stopped', () => isStopped(worker.pid))
}

describe.each([
  ['on the same host', (): string => gates],
  ['on another host', (): string => scratch('gates-of-another-host')],
])('the next one is %s', (_where, gatesOfTheNext) => {
  const start = (script: string, args: string[], at: string): WorkerProcess =>
    startWorker(script, args, { CACHELATCH_GATE_DIR: at })

  test('a holder that blocks its event loop for three times the stale time keeps the lock', async () => {
    const [holder, next] = [
      start('locker', ['lockfile'], gates),
      start('locker', ['lockfile'], gatesOfTheNext()),
    ]
    await holder.ask('acquire', path)
    let isIn = false
    const waiting = next.ask('acquire', path).then(() => (isIn = true))
    await holder.ask('block', 3 * STALE_MS)
    expect(await holder.ask('isLost', path)).toBe(false)
    expect(isIn).toBe(false)
    await holder.ask('release', path)
    await waiting
  })

  test('a holder that is stopped is succeeded; when it goes on, it is told, and does its successor no harm', async () => {
    const other = gatesOfTheNext()
    const [holder, next] = [start('locker', ['lockfile'], gates), start('locker', ['lockfile'], other)]
    await holder.ask('acquire', path)
    await stop(holder)
    expect(await next.ask('acquire', path)).toBe(true)
    holder.signal('SIGCONT')
    await until('the former holder is told', () => holder.ask<boolean>('isLost', path))
    await holder.ask('release', path)
    expect(await next.ask('isLost', path)).toBe(false)
    for (const at of [gates, other])
      await expect(
        start('locker', ['lockfile'], at).ask('acquire', path, { timeoutMs: 0 }),
      ).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
  })

  test('a holder that was stopped and succeeded knows it before its event loop turns', async () => {
    const [holder, next] = [
      start('locker', ['lockfile'], gates),
      start('locker', ['lockfile'], gatesOfTheNext()),
    ]
    await holder.ask('acquire', path)
    const looking = holder.ask('stopAndLook', path)
    await hasStopped(holder)
    await next.ask('acquire', path)
    holder.signal('SIGCONT')
    expect(await looking).toBe(true)
  })

  test('who is stopped between its take and its first beat, and succeeded, has not got the lock yet', async () => {
    const stopping = { NODE_OPTIONS: `--import=${STOPS_ONCE_IT_HAS_TAKEN}` }
    const first = startWorker('locker', ['lockfile'], { CACHELATCH_GATE_DIR: gates, ...stopping })
    const next = start('locker', ['lockfile'], gatesOfTheNext())
    const taking = first.ask('acquire', path)
    await hasStopped(first)
    await next.ask('acquire', path)
    first.signal('SIGCONT')
    await until('it waits', () => readdirSync(dirname(path)).some((name) => name.includes('.waiting.')))
    expect(await next.ask('isLost', path)).toBe(false)
    await next.ask('release', path)
    expect(await taking).toBe(true)
    expect(await first.ask('isLost', path)).toBe(false)
  })

  test('a builder that is stopped cannot spoil the entry of its successor', async () => {
    const root = scratch('cache')
    const args = ['lockfile', String(STALE_MS)]
    const [builder, next] = [start('compiler', args, gates), start('compiler', args, gatesOfTheNext())]
    const signs = scratch('signs')
    const order = { root, key: 'model', log: `${signs}.log` }
    const late = builder.ask<{ name: string }>('compile', { ...order, signs, signBuild: true, awaitSigns: 2 })
    await until('it builds', () => readdirSync(signs).length === 1)
    await stop(builder)
    const { name, outcome } = await next.ask<{ name: string; outcome: string }>('compile', order)
    expect([name, outcome]).toEqual([`${next.pid}-1`, 'compiled'])
    writeFileSync(`${signs}/end`, '')
    builder.signal('SIGCONT')
    expect((await late).name).toBe(name)
    expect(readEntry(entryPath(root, 'model'))).toBe(name)
  })
})
