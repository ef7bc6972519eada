/** Uncontended lock + release. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import properLockfile from 'proper-lockfile'
import { directDisk } from '../../src/host/disk.js'
import { hasFlockCommand } from '../../src/host/flock-command.js'
import { realHost } from '../../src/host/host.js'
import { withLock } from '../../src/index.js'
import { createKernelLocker } from '../../src/lock/kernel.js'
import type { Context } from '../context.js'
import { type Contender, measure, micros, microsSync } from '../measure.js'
import { type PeerLock, startGoLock, startPythonLock } from '../peer-locks.js'
import { lockAndRelease } from '../raw.js'
import { type Group, atLeast, atMost, ratioOf, timesAsLong } from '../report.js'

/** More than are kept open: each of them is opened anew. */
const MANY_LOCKS = 200

const PYTHON = 'python filelock'
const GO = 'Go lockedfile'

export async function lockGroup({ dir, quick, say }: Context): Promise<Group> {
  const times = quick ? 200 : 2000
  const python = await startPythonLock(join(dir, 'python.lock'))
  const go = await startGoLock(dir)
  const flock = (await hasFlockCommand()) ? spawnedFlock(dir) : 'flock(1) is not installed'
  const peers = [asContender(PYTHON, python, times), asContender(GO, go, times), flock]
  say('uncontended lock + release')
  const table = await measure({
    title: 'Uncontended lock + release',
    unit: 'µs',
    note: 'Python and Go: in one long-lived process each, whose start is not counted. Go: `lockedfile.Mutex` of cmd/go, as rogpeppe/go-internal has it.',
    rounds: quick ? 5 : 25,
    contenders: [
      ...ours(dir, times),
      ...others(dir, times),
      ...peers.filter((peer) => typeof peer !== 'string'),
    ],
    skipped: peers.filter((peer) => typeof peer === 'string'),
  })
  for (const peer of [python, go]) if (typeof peer !== 'string') await peer.end()
  const aims = [
    atMost(1, 'withLock, to open + flock + close', ratioOf(table, 'withLock'), 1.5),
    atLeast(1, 'proper-lockfile, to withLock', timesAsLong(table, 'proper-lockfile', 'withLock'), 30),
    atMost(
      null,
      'the Locker alone, to open + flock + close',
      ratioOf(table, 'Locker, acquire + release'),
      1.5,
    ),
  ]
  if (typeof python !== 'string')
    aims.push(atLeast(1, `${PYTHON}, to withLock`, timesAsLong(table, PYTHON, 'withLock'), 1))
  return { name: 'lock', tables: [table], aims }
}

/** Or why it is missing. */
function asContender(name: string, peer: PeerLock | string, times: number): Contender | string {
  if (typeof peer === 'string') return `${name}: ${peer}`
  return { name, role: 'other', sample: () => peer.micros(times) }
}

function ours(dir: string, times: number): Contender[] {
  const locker = createKernelLocker(realHost(), directDisk)
  const lockAndLetGo = async (path: string): Promise<void> => (await locker.acquire(path)).release()
  const nothing = (): void => undefined
  return [
    {
      name: 'withLock',
      role: 'ours',
      sample: () => micros(times, () => withLock(join(dir, 'model'), nothing)),
    },
    {
      name: 'Locker, acquire + release',
      role: 'ours',
      sample: () => micros(times, () => lockAndLetGo(join(dir, 'one'))),
    },
    {
      name: `Locker, ${MANY_LOCKS} locks in turn`,
      role: 'ours',
      sample: () => micros(times, (index) => lockAndLetGo(join(dir, `many-${index % MANY_LOCKS}`))),
    },
  ]
}

function others(dir: string, times: number): Contender[] {
  const file = join(dir, 'raw.lock')
  writeFileSync(file, '')
  return [
    {
      name: 'open + flock + close',
      role: 'floor',
      sample: () => microsSync(times, () => lockAndRelease(file)),
    },
    {
      name: 'proper-lockfile',
      role: 'other',
      sample: () => micros(times / 50, async () => (await properLockfile.lock(file, { realpath: false }))()),
    },
  ]
}

function spawnedFlock(dir: string): Contender {
  const file = join(dir, 'command.lock')
  return {
    name: 'flock(1), a process a lock',
    role: 'other',
    sample: () => microsSync(5, () => void spawnSync('flock', [file, 'true'], { stdio: 'ignore' })),
  }
}
