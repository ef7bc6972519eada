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
import { hasPythonFilelock, startPythonLock } from '../python.js'
import { lockAndRelease } from '../raw.js'
import { type Group, atLeast, atMost, ratioOf, rowOf } from '../report.js'

/** More than are kept open: each of them is opened anew. */
const MANY_LOCKS = 200

export async function lockGroup({ dir, quick, say }: Context): Promise<Group> {
  const times = quick ? 200 : 2000
  const python = hasPythonFilelock() ? startPythonLock(join(dir, 'python.lock')) : null
  const contenders = [...ours(dir, times), ...others(dir, times)]
  if (python) contenders.push({ name: 'python filelock', role: 'other', sample: () => python.micros(times) })
  const flockCommand = await hasFlockCommand()
  if (flockCommand) contenders.push(spawnedFlock(dir))
  say('uncontended lock + release')
  const table = await measure({
    title: 'Uncontended lock + release',
    unit: 'µs',
    rounds: quick ? 5 : 25,
    contenders,
    skipped: [...(python ? [] : ['python3 with filelock']), ...(flockCommand ? [] : ['flock(1)'])],
  })
  await python?.end()
  const toProperLockfile = rowOf(table, 'proper-lockfile').median / rowOf(table, 'withLock').median
  return {
    name: 'lock',
    tables: [table],
    aims: [
      atMost('withLock, to open + flock + close', ratioOf(table, 'withLock'), 2),
      atMost('the Locker alone, to open + flock + close', ratioOf(table, 'Locker, acquire + release'), 2),
      atLeast('proper-lockfile, to withLock', toProperLockfile, 20),
    ],
  }
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
