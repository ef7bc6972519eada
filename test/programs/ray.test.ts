/** Ray's actors in slots of their own: the whole of it is the command that Ray starts its workers with. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openRoot } from '../../src/latch/open.js'
import { realHost } from '../../src/host/host.js'
import { namespaceOf } from '../../src/launch/namespace.js'
import { readSnapshot } from '../../src/launch/snapshots.js'
import { COMMAND } from '../support/command.js'
import { missing } from '../support/needs.js'
import { isAlive, processesNaming } from '../support/proc.js'
import { type Conversation, converse, pythonOf, worker } from '../support/programs.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const ACTORS = 8
const KILLED = 2

interface Engine {
  pid: number
  cacheDir: string
  hits: number
  misses: number
  checksum: number
}

let job: Conversation<Engine[]> | undefined
afterEach(() => job?.kill())

test.skipIf(missing('Ray'))(
  'eight actors compile the same; two are killed, and restarted by Ray they are warm; no wrapper is left',
  async () => {
    const cache = join(scratch(), 'cache')
    job = startJob(cache)
    const first = await job.answer()
    expectSlotsOfTheirOwn(first, cache)
    const programs = first[0]!.hits + first[0]!.misses
    expect(programs).toBeGreaterThan(0)

    await until('all programs are published', async () => (await publishedIn(cache)) >= programs)
    const killed = first.slice(0, KILLED).map(({ pid }) => pid)
    for (const pid of killed) process.kill(pid, 'SIGKILL')
    await until('they are gone', () => !killed.some(isAlive))
    job.say('once more')
    const second = await job.answer()
    expectSlotsOfTheirOwn(second, cache)
    expect(second.slice(KILLED).map(({ pid }) => pid)).toEqual(first.slice(KILLED).map(({ pid }) => pid))
    for (const restarted of second.slice(0, KILLED)) {
      expect(killed).not.toContain(restarted.pid)
      expect(restarted).toMatchObject({ hits: programs, misses: 0 })
    }

    expect(await job.end()).toBe(0)
    await until('no wrapper and no worker is left', () => processesNaming(cache).length === 0)
  },
)

function expectSlotsOfTheirOwn(engines: readonly Engine[], cache: string): void {
  expect(engines.filter(({ pid }) => isAlive(pid))).toHaveLength(ACTORS)
  expect(new Set(engines.map(({ pid }) => pid)).size).toBe(ACTORS)
  expect(new Set(engines.map(({ cacheDir }) => cacheDir)).size).toBe(ACTORS)
  expect(engines.every(({ cacheDir }) => cacheDir.startsWith(cache))).toBe(true)
  expect(new Set(engines.map(({ checksum }) => checksum)).size).toBe(1)
}

/** Ray's sockets need a short path, and its token would be written into the home of whoever runs the tests. */
function startJob(cache: string): Conversation<Engine[]> {
  const home = mkdtempSync(join(tmpdir(), 'ray-'))
  const python = pythonOf('ray')
  const wrapper = [process.execPath, COMMAND, 'run', '--cache', cache, '--preset', 'jax', '--settle', '200ms']
  const started = converse<Engine[]>([python, worker('ray_job.py'), String(ACTORS)], {
    HOME: home,
    RAY_TMPDIR: home,
    RAY_AUTH_MODE: 'disabled',
    RAY_USAGE_STATS_ENABLED: '0',
    RAY_JOB_PYTHON: [...wrapper, '--', python].join(' '),
  })
  void started.ended.then(() => rmSync(home, { recursive: true, force: true }))
  return started
}

async function publishedIn(cache: string): Promise<number> {
  const opened = await openRoot(realHost(), cache)
  return (await readSnapshot(opened, namespaceOf(['jax']))).size
}
