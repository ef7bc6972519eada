/** Slots among real processes: who gets which, for how long, and what becomes of those of the killed. */
import { mkdirSync, existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { isAlive, isStopped } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { snapshotIn } from '../support/slot-workers.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import type { WorkerProcess } from '../support/worker-process.js'

const scratch = useScratch()
const mounts = useMounts()
const startWorker = useWorkers()
const STALE_MS = 2_000

interface Prepared {
  path: string
  slot: number | null
}

const left = new Set<number>()
afterEach(() => {
  for (const pid of left) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  left.clear()
})

/** A worker that runs until it is killed. */
async function spawnEndless(wrapper: WorkerProcess, script = 'echo ready; exec sleep 600'): Promise<number> {
  const { pid } = await wrapper.ask<{ pid: number }>('spawn', script)
  left.add(pid)
  return pid
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await until(`${pid} is gone`, () => !isAlive(pid))
}

describe.skipIf(missing('linux')).each(['kernel', 'lockfile'] as const)('%s:', (locker) => {
  function world(): { cache: string; start: () => WorkerProcess; options: object } {
    const [cache, gates] = [scratch('cache'), scratch('gates')]
    const env = { CACHELATCH_GATE_DIR: gates, NODE_NO_WARNINGS: '1' }
    return { cache, start: () => startWorker('wrapper', [], env), options: { locker, staleMs: STALE_MS } }
  }

  test('eight wrappers at a barrier get eight slots; the next eight get the same, as they were left', async () => {
    const { cache, start, options } = world()
    const round = async (name: string): Promise<string[]> => {
      const go = join(cache, name)
      const wrappers = Array.from({ length: 8 }, () => start())
      const prepared = wrappers.map((wrapper) => wrapper.ask<Prepared>('prepare', cache, options, go))
      writeFileSync(go, '')
      const paths = (await Promise.all(prepared)).map(({ path }) => path)
      for (const path of paths) {
        mkdirSync(join(path, 'groups/g'), { recursive: true })
        writeFileSync(join(path, 'groups/g/k'), name)
      }
      await Promise.all(wrappers.map((wrapper) => wrapper.ask('ended', 0)))
      await Promise.all(wrappers.map((wrapper) => wrapper.kill()))
      return paths.sort()
    }
    const paths = await round('first')
    expect(new Set(paths).size).toBe(8)
    expect(paths.map((path) => path.slice(-3))).toEqual([
      '000',
      '001',
      '002',
      '003',
      '004',
      '005',
      '006',
      '007',
    ])
    expect(await round('second')).toEqual(paths)
  })

  test('the slot of a living worker is nobody else’s when its wrapper is killed, and made anew when it is gone', async () => {
    const { cache, start, options } = world()
    const first = start()
    const { path } = await first.ask<Prepared>('prepare', cache, options)
    // It has forgotten its environment: the descriptor alone shows that it lives.
    const pid = await spawnEndless(
      first,
      'mkdir -p "$GROUPS_DIR/g"; printf ha >"$GROUPS_DIR/g/k"; echo ready; exec env -i sleep 600',
    )
    await first.kill()
    const next = start()
    // Also when the heartbeat of the wrapper has been missing for long enough to be taken for dead.
    const end = performance.now() + (locker === 'lockfile' ? 2 * STALE_MS : 0)
    do {
      const other = await next.ask<Prepared>('prepare', cache, options)
      expect(other.path).not.toBe(path)
      await next.ask('ended', 1)
    } while (performance.now() < end)
    await kill(pid)
    expect(await next.ask<Prepared>('prepare', cache, options)).toMatchObject({ path })
    expect(existsSync(join(path, 'groups/g'))).toBe(false)
    await next.ask('ended', 1)
  })

  test('nor when all that is left of it is a descendant that has closed every descriptor', async () => {
    const { cache, start, options } = world()
    const first = start()
    const { path } = await first.ask<Prepared>('prepare', cache, options)
    const script = "setsid sh -c 'exec 0<&- 2>&- 3>&-; echo $$; exec 1>&-; exec sleep 600' & exec sleep 600"
    const { pid, line } = await first.ask<{ pid: number; line: string }>('spawn', script)
    left.add(pid).add(Number(line))
    await first.kill()
    await kill(pid)
    const next = start()
    expect((await next.ask<Prepared>('prepare', cache, options)).path).not.toBe(path)
    await next.ask('ended', 1)
    await kill(Number(line))
    expect((await next.ask<Prepared>('prepare', cache, options)).path).toBe(path)
    await next.ask('ended', 1)
  })

  test('killed at any time while it prepares, a wrapper leaves nothing that the next one could take for whole', async () => {
    const { cache, start, options } = world()
    const builder = start()
    const { path } = await builder.ask<Prepared>('prepare', cache, options)
    for (let n = 0; n < 60; n++) {
      mkdirSync(join(path, `groups/${n}`), { recursive: true })
      writeFileSync(join(path, `groups/${n}/k`), String(n))
    }
    await builder.ask('ended', 0)
    const whole = readdirSync(join(path, 'groups')).length
    const mark = `${path}.ended-well.json`
    for (let round = 0; round < 3; round++) {
      const victim = start()
      const prepared = victim.ask('prepare', cache, options)
      // The mark is taken away once the lock is held; some time later the seeding is over.
      await until('it is on the way', () => !existsSync(mark) && (round > 0 ? existsSync(path) : true))
      await victim.kill()
      await prepared.catch(() => undefined)
      const next = start()
      expect((await next.ask<Prepared>('prepare', cache, options)).path).toBe(path)
      expect(readdirSync(join(path, 'groups'))).toHaveLength(whole)
      await next.ask('ended', round % 2)
    }
  })

  test('when all slots are leased, a worker gets a private directory, and is told once why', async () => {
    const { cache, start, options } = world()
    const few = { ...options, maxSlots: 2 }
    const wrappers = [start(), start(), start()]
    for (const wrapper of wrappers) await wrapper.ask('prepare', cache, few)
    const last = wrappers[2]!
    expect(await last.ask('events')).toMatchObject([
      { type: 'worker-degraded', unit: null, error: 'SLOTS_TAKEN' },
      { type: 'worker-prepared', slot: null },
    ])
    const { line } = await last.ask<{ line: string }>('spawn', 'cd "$GROUPS_DIR" && touch here && pwd -P')
    await until('it has ended', () => !existsSync(line))
    await wrappers[0]!.ask('ended', 0)
    expect(await start().ask<Prepared>('prepare', cache, few)).toMatchObject({ slot: 0 })
  })

  test('a worker killed in the middle of a file, while its wrapper sees nothing: the half is not published', async () => {
    const { cache, start, options } = world()
    const wrapper = start()
    await wrapper.ask('prepare', cache, { ...options, settleMs: 100 })
    const script =
      'cd "$GROUPS_DIR"; mkdir half whole; exec 4>half/k; printf ha >&4; printf whole >whole/k; echo ready; exec sleep 600'
    const pid = await spawnEndless(wrapper, script)
    // The half one has been looked at, and is open.
    await until('the whole one is published', async () => (await snapshotIn(cache)).has('groups/whole'))
    wrapper.signal('SIGSTOP')
    await until('it is stopped', () => isStopped(wrapper.pid))
    process.kill(pid, 'SIGKILL')
    await until('it is dead', () => !isAlive(pid))
    // Its time to look has come before it goes on.
    await new Promise((resolve) => setTimeout(resolve, 200))
    wrapper.signal('SIGCONT')
    await until('it has seen the end', async () =>
      (await wrapper.ask<{ type: string }[]>('events')).some(({ type }) => type === 'worker-ended'),
    )
    // Its slot is given back after the last publish.
    const next = start()
    await until('the slot is free', async () => {
      const { slot } = await next.ask<Prepared>('prepare', cache, options)
      await next.ask('ended', 1)
      return slot === 0
    })
    expect([...(await snapshotIn(cache)).keys()]).toEqual(['groups/whole'])
  })
})

test.skipIf(missing('linux'))(
  'the private directory of a living worker stays when its wrapper is killed; when it is gone, the next one removes it',
  async () => {
    const [root, temporary] = [scratch('cache'), scratch('tmp')]
    const file = join(root, 'file')
    writeFileSync(file, '')
    const start = (): WorkerProcess => startWorker('wrapper', [], { TMPDIR: temporary })
    const first = start()
    const { path } = await first.ask<Prepared>('prepare', file)
    const pid = await spawnEndless(first, 'echo mine >"$GROUPS_DIR/k"; echo ready; exec sleep 600')
    await first.kill()
    const old = new Date(Date.now() - 3_600_000)
    for (let round = 0; round < 3; round++) {
      utimesSync(path, old, old)
      const other = start()
      expect((await other.ask<Prepared>('prepare', file)).path).not.toBe(path)
      await other.ask('ended', 0)
      expect(readFileSync(join(path, 'groups/k'), 'utf8')).toBe('mine\n')
    }
    await kill(pid)
    utimesSync(path, old, old)
    const last = start()
    await last.ask<Prepared>('prepare', file)
    expect(existsSync(path)).toBe(false)
    await last.ask('ended', 0)
    expect(readdirSync(temporary)).toEqual([])
  },
)

describe.skipIf(missing('linux', 'root', 'bindfs'))('two hosts on one file system', () => {
  function host(name: string, base: string): { cache: string; start: () => WorkerProcess } {
    const [mount, gates] = [mounts.bindfs(base), scratch('gates')]
    const launcher = ['unshare', '-u', 'sh', '-c', `hostname ${name}; exec "$@"`, 'sh']
    const env = { CACHELATCH_GATE_DIR: gates, NODE_NO_WARNINGS: '1' }
    return { cache: join(mount, 'cache'), start: () => startWorker('wrapper', [], env, launcher) }
  }

  test('have slots of their own, the same ones next time, and one snapshot', async () => {
    const base = scratch()
    mkdirSync(join(base, 'cache'))
    const hosts = [host('one', base), host('two', base)]
    const round = async (): Promise<string[]> => {
      const wrappers = hosts.flatMap(({ cache, start }) => [0, 1].map(() => ({ cache, wrapper: start() })))
      const prepared = await Promise.all(
        wrappers.map(({ cache, wrapper }) => wrapper.ask<Prepared>('prepare', cache, { staleMs: STALE_MS })),
      )
      for (const [n, { path }] of prepared.entries()) writeFileSync(join(path, `groups/by-${n}`), String(n))
      for (const { wrapper } of wrappers) await wrapper.ask('ended', 0)
      for (const { wrapper } of wrappers) await wrapper.kill()
      return prepared.map(({ path }) => path.split('/').at(-1)!).sort()
    }
    const names = ['one.000', 'one.001', 'two.000', 'two.001']
    expect(await round()).toEqual(names)
    expect(await round()).toEqual(names)
    const { cache, start } = hosts[0]!
    const wrapper = start()
    const { path } = await wrapper.ask<Prepared>('prepare', cache, {})
    expect(readdirSync(join(path, 'groups')).sort()).toEqual(['by-0', 'by-1', 'by-2', 'by-3'])
  })

  test('when a wrapper on one of them is killed, its living worker’s slot is nobody’s on either', async () => {
    const base = scratch()
    mkdirSync(join(base, 'cache'))
    const hosts = [host('one', base), host('two', base)]
    const first = hosts[0]!.start()
    const { path } = await first.ask<Prepared>('prepare', hosts[0]!.cache, { staleMs: STALE_MS })
    const pid = await spawnEndless(first)
    await first.kill()
    const name = path.split('/').at(-1)
    const others = hosts.map(({ cache, start }) => ({ cache, wrapper: start() }))
    const end = performance.now() + 2 * STALE_MS
    do {
      for (const { cache, wrapper } of others) {
        const other = await wrapper.ask<Prepared>('prepare', cache, {})
        expect(other.path.split('/').at(-1)).not.toBe(name)
        await wrapper.ask('ended', 1)
      }
    } while (performance.now() < end)
    await kill(pid)
    expect((await others[0]!.wrapper.ask<Prepared>('prepare', hosts[0]!.cache, {})).path).toBe(path)
  })
})
