/** Who holds, who waits, what is left: of real processes, some of them killed. */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { sha256 } from '../../src/host/hash.js'
import { realHost } from '../../src/host/host.js'
import { type CacheOptions, type Cache, openCache } from '../../src/index.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { Layout } from '../../src/store/layout.js'
import { COMMAND } from '../support/command.js'
import { missing } from '../support/needs.js'
import { isAlive } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import { prepareTestWorker } from '../support/slot-workers.js'
import { leaveFiles } from '../support/slots-on-disk.js'
import type { WorkerProcess } from '../support/worker-process.js'

const scratch = useScratch()
const start = useWorkers()
const KEY = { model: 'llama' }
const LABEL = '{"model":"llama"}'

const orphans = new Set<number>()
afterEach(() => {
  for (const pid of orphans) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  orphans.clear()
})

const lockNames = (root: string): string[] => readdirSync(new Layout(root).locks)
const waitingRecords = (root: string): string[] =>
  lockNames(root).filter((name) => /\.waiting\.[0-9a-f]{32}\.json$/.test(name))

/** On a host that takes no kernel lock: looking must not. */
async function looking(root: string): Promise<Cache> {
  const host = realHost()
  const native = host.native && {
    ...host.native,
    flock: () => {
      throw new Error('a lock was tried')
    },
  }
  return openCacheOn({ ...host, native }, root, { existing: true, strict: true })
}

describe.each(['kernel', 'lockfile'] as const)('%s', (locker) => {
  const options: CacheOptions = { locker, staleMs: 2_000, strict: true }
  const source = locker === 'kernel' ? 'kernel' : 'record'

  async function openIn(root: string, gates: string): Promise<WorkerProcess> {
    const worker = start('latch', [], { CACHELATCH_GATE_DIR: gates })
    await worker.ask('open', root, options)
    return worker
  }

  test('the one that builds, those that wait, and nothing of them afterwards', async () => {
    const [root, gates] = [scratch('cache'), scratch('gates')]
    const [builder, first, second] = [
      await openIn(root, gates),
      await openIn(root, gates),
      await openIn(root, gates),
    ]
    const go = join(root, 'go')
    const asked = [builder.ask('compile', KEY, { until: go })]
    await until('the build has begun', () => builder.noted('building'))
    asked.push(first.ask('compile', KEY, {}, { timeoutMs: 600_000 }))
    asked.push(second.ask('compile', KEY, {}, { timeoutMs: Infinity }))
    const cache = await looking(root)
    const status = await until('both are seen to wait', async () => {
      const seen = await cache.status()
      return seen.waiters.length === 2 && seen
    })
    const lock = sha256(LABEL)
    expect(status.holders).toMatchObject([
      { lock, key: LABEL, building: true, pid: builder.pid, verdict: 'alive', others: 0, source },
    ])
    expect(status.holders[0]!.command).toContain('latch.js')
    expect(status.at - status.holders[0]!.since!).toBeGreaterThanOrEqual(0)
    const deadlines = new Map(
      status.waiters.map(({ pid, deadline, since }) => [pid, deadline && deadline - since!]),
    )
    expect(deadlines).toEqual(
      new Map([
        [first.pid, 600_000],
        [second.pid, null],
      ]),
    )
    expect(status.waiters.map(({ lock, key, verdict }) => ({ lock, key, verdict }))).toEqual(
      [1, 2].map(() => ({ lock, key: LABEL, verdict: 'alive' })),
    )
    expect(status).toMatchObject({ stages: 1, entries: 0, bytes: 0, inUse: 0 })
    expect(status.leftovers).toEqual({ stages: 0, trash: 0, drafts: 0, records: 0 })

    writeFileSync(go, '')
    await Promise.all(asked)
    expect(waitingRecords(root)).toEqual([])
    const after = await cache.status()
    expect(after).toMatchObject({ holders: [], waiters: [], stages: 0, entries: 1, bytes: 100_000, inUse: 1 })
    await Promise.all([builder, first, second].map((worker) => worker.kill()))
    if (locker === 'kernel') expect(await cache.status()).toMatchObject({ inUse: 0 })
  })

  test('a waiter that is killed waits no more; gc removes its record, and not that of one who lives', async () => {
    const [root, gates] = [scratch('cache'), scratch('gates')]
    const [builder, victim, other] = [
      await openIn(root, gates),
      await openIn(root, gates),
      await openIn(root, gates),
    ]
    const go = join(root, 'go')
    const asked = [builder.ask('compile', KEY, { until: go })]
    await until('the build has begun', () => builder.noted('building'))
    void victim.ask('compile', KEY, {})
    asked.push(other.ask('compile', KEY, {}))
    await until('both are on record', () => waitingRecords(root).length === 2)
    await victim.kill()
    const cache = await openCache(root, { ...options, existing: true })
    const seen = await until('it is known to be dead', async () => {
      const status = await cache.status()
      return status.waiters.length === 1 && status
    })
    expect(seen.waiters).toMatchObject([{ pid: other.pid }])
    expect(seen.leftovers).toMatchObject({ records: 1 })
    await cache.gc({ graceMs: 0 })
    expect(waitingRecords(root)).toHaveLength(1)
    expect((await cache.status()).leftovers).toMatchObject({ records: 0 })
    writeFileSync(go, '')
    await Promise.all(asked)
    expect(waitingRecords(root)).toEqual([])
  })

  test('a builder that is killed holds nothing; who takes over is shown, since when it has', async () => {
    const [root, gates] = [scratch('cache'), scratch('gates')]
    const [builder, heir] = [await openIn(root, gates), await openIn(root, gates)]
    void builder.ask('compile', KEY, { until: join(root, 'never') })
    await until('the build has begun', () => builder.noted('building'))
    const cache = await looking(root)
    const [first] = (await cache.status()).holders
    void heir.ask('compile', KEY, { until: join(root, 'never') })
    await until('the heir waits', () => heir.noted('waiting'))
    await builder.kill()
    await until('the heir builds', () => heir.noted('building'))
    const [second] = (await cache.status()).holders
    expect([first!.pid, second!.pid]).toEqual([builder.pid, heir.pid])
    expect(second!.since).toBeGreaterThan(first!.since!)
    await heir.kill()
    expect(await cache.status()).toMatchObject({ holders: [], waiters: [], leftovers: { records: 1 } })
  })
})

describe.each(['kernel', 'lockfile'] as const)('%s', (locker) => {
  test('a leased slot is told by its namespace and number, with its worker, and since when', async () => {
    const root = scratch('cache')
    process.env['CACHELATCH_GATE_DIR'] = scratch('gates')
    const cache = await openCache(root, { locker, staleMs: 2_000, strict: true })
    await leaveFiles(root, { 'groups/a/kernel': 'a', 'groups/b/kernel': 'b' }, { locker })
    const before = Date.now()
    const [first, second] = [
      await prepareTestWorker(root, { locker }),
      await prepareTestWorker(root, { locker }),
    ]
    const status = await until('both are on record', async () => {
      const seen = await (locker === 'kernel' ? await looking(root) : cache).status()
      return seen.holders.every(({ since }) => since !== null) && seen
    })
    expect(status.holders).toMatchObject([
      { key: 'slot 0 of tested', pid: process.pid, verdict: 'alive', building: false },
      { key: 'slot 1 of tested', pid: process.pid, verdict: 'alive', building: false },
    ])
    for (const { since } of status.holders) expect(since).toBeGreaterThanOrEqual(before)
    expect(status).toMatchObject({ entries: 0, units: 2, bytes: 2 })
    await Promise.all([first.ended(0), second.ended(0)])
    expect((await cache.status()).holders).toEqual([])
  })
})

interface Running {
  wrapper: number
  child: number
  killWrapper: () => Promise<void>
}

/** `exec NAME` with a command that says its pid and stays. */
async function execForEver(root: string, name: string): Promise<Running> {
  const args = [COMMAND, 'exec', name, '--', 'sh', '-c', 'echo $$; exec sleep 600']
  const wrapper = spawn(process.execPath, args, {
    env: { ...process.env, CACHELATCH_DIR: root },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const child = await new Promise<number>((resolve) =>
    wrapper.stdout.once('data', (text: Buffer) => resolve(Number(text))),
  )
  orphans.add(child).add(wrapper.pid!)
  const gone = new Promise((resolve) => wrapper.once('exit', resolve))
  const killWrapper = async (): Promise<void> => {
    wrapper.kill('SIGKILL')
    await gone
  }
  return { wrapper: wrapper.pid!, child, killWrapper }
}

test.skipIf(missing('linux'))(
  'a lock that has outlived its wrapper is that of the command, since it was taken',
  async () => {
    const root = scratch()
    await (await openCache(root, { strict: true })).locker()
    const { wrapper, child, killWrapper } = await execForEver(root, 'nightly')
    const cache = await looking(root)
    const before = await until('the wrapper is on record', async () => {
      const [holder] = (await cache.status()).holders
      return holder?.since !== null && holder
    })
    expect(before).toMatchObject({ lock: 'nightly', key: null, pid: wrapper, others: 1, building: false })
    await killWrapper()
    const [after] = (await cache.status()).holders
    expect(after).toMatchObject({ pid: child, others: 0, since: before.since, command: 'sleep 600' })
    process.kill(child, 'SIGKILL')
    await until('nobody holds it', async () => (await cache.status()).holders.length === 0)
    expect((await cache.status()).leftovers.records).toBe(1)
    await (await openCache(root)).gc({ graceMs: 0 })
    expect((await cache.status()).leftovers.records).toBe(0)
  },
)

test.skipIf(missing('linux', 'flock(1)'))(
  'a lock that another program holds is shown as its own',
  async () => {
    const root = scratch()
    await (await openCache(root, { strict: true })).locker()
    const path = join(new Layout(root).locks, 'theirs.lock')
    const child = spawn('flock', [path, 'sh', '-c', 'echo inside; exec sleep 600'], { detached: true })
    orphans.add(child.pid!)
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const { holders } = await (await looking(root)).status()
    expect(holders).toMatchObject([
      { lock: 'theirs', pid: child.pid, since: null, source: 'kernel', verdict: 'alive' },
    ])
    process.kill(-child.pid!, 'SIGKILL')
  },
)

test.skipIf(missing('linux'))('what the dead have left is counted, and left alone', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  const worker = start('latch')
  await worker.ask('open', root)
  void worker.ask('compile', KEY, { until: join(root, 'never') })
  await until('the build has begun', () => worker.noted('building'))
  const layout = new Layout(root)
  const [token, other] = ['a'.repeat(32), 'b'.repeat(32)]
  mkdirSync(layout.staged(token))
  mkdirSync(layout.staged(other))
  mkdirSync(layout.discarded(`${token}.doomed`))
  writeFileSync(join(layout.locks, `x.owner.json.${token}`), '')
  writeFileSync(join(layout.attempts, `x.json.${token}`), '')
  // Those of the builder are as old, and in use.
  for (const name of readdirSync(layout.stage)) if (name !== other) utimesSync(layout.staged(name), 0, 0)
  utimesSync(join(layout.locks, `x.owner.json.${token}`), 0, 0)
  utimesSync(join(layout.attempts, `x.json.${token}`), 0, 0)
  const expected = { stages: 2, leftovers: { stages: 1, trash: 1, drafts: 2, records: 0 } }
  for (let look = 0; look < 2; look++) expect(await cache.status()).toMatchObject(expected)
  await worker.kill()
  expect(await cache.status()).toMatchObject({
    stages: 1,
    leftovers: { stages: 2, trash: 1, drafts: 2, records: 1 },
  })
  await cache.gc({ graceMs: 0 })
  const nothing = { stages: 0, trash: 0, drafts: 0, records: 0 }
  expect(await cache.status()).toMatchObject({ stages: 0, leftovers: nothing })
})

test('without the entries nothing is said about them', async () => {
  const cache = await openCache(scratch(), { strict: true })
  expect(await cache.status({ entries: false })).toMatchObject({ entries: null, bytes: null, holders: [] })
})
