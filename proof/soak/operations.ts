/** What workers do, each time one of these. What it returns is its outcome, to be counted. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LockOptions, prepareWorker, withLock, writeDirectory, writeFile } from '../../src/index.js'
import { checkDirectory, checkFile } from '../../test/support/checker.js'
import { TESTED } from '../../test/support/presets.js'
import { described } from '../../test/support/self-describing.js'
import { compile, compileDamaged, keep, read } from './entries.js'
import { someName } from './names.js'
import { nowUs } from './testimony.js'
import { STALE_MS, TIMEOUT_MS, type Worker, body, fill, newId, openOptions } from './work.js'

const MAX_CACHE_BYTES = 20 * 1024 * 1024
/** Few enough to be in each other's way. */
const MAX_SLOTS = 16

export interface Operation {
  /** How often it is done, among all. */
  weight: number
  /** It may fail on a full disk. Nothing else may fail, nor for any other reason. */
  needsRoom?: boolean
  run: (worker: Worker) => Promise<string>
}

export const OPERATIONS: Record<string, Operation> = {
  compile: { weight: 30, run: (worker) => compile(worker, someName('key', worker.random)) },
  'compile what others damage': { weight: 4, run: compileDamaged },
  read: { weight: 20, run: read },
  'keep in hand': { weight: 6, run: keep },
  'hold a lock': { weight: 20, needsRoom: true, run: count },
  'write a file': { weight: 10, needsRoom: true, run: putFile },
  'write a directory': { weight: 6, needsRoom: true, run: putDirectory },
  'run in a slot': { weight: 6, needsRoom: true, run: liveInSlot },
  collect: { weight: 4, run: collect },
  clear: { weight: 3, run: clear },
  verify: { weight: 1, run: verify },
}

const lockOptions = ({ world }: Worker): LockOptions => ({
  ...openOptions(world),
  timeoutMs: TIMEOUT_MS,
  onWait: () => undefined,
})

/** A count in a file, which grows only as long as nobody else is inside. */
async function count(worker: Worker): Promise<string> {
  const { world, line, random } = worker
  const path = join(world.beside, someName('counter', random))
  return withLock(
    path,
    async (lease) => {
      const from = nowUs()
      const mustBeAlone = world.locker === 'kernel'
      await line.tell({ tell: 'in', lock: path, from, wasSure: !lease.signal.aborted, mustBeAlone })
      let written: number | null = null
      try {
        const next = Number(existsSync(path) ? checkFile(path) : 0) + 1
        await sleep(random() * 20)
        await writeFile(
          path,
          described({ unit: 'file', id: String(next) }, body(random)),
          lockOptions(worker),
        )
        written = next
        return 'counted'
      } finally {
        const to = nowUs()
        // In this order: what a holder can be sure of is the time before it asks.
        const wasSure = !lease.signal.aborted
        await line.tell({ tell: 'out', lock: path, to, wasSure, count: mustBeAlone ? written : null })
      }
    },
    lockOptions(worker),
  )
}

async function putFile(worker: Worker): Promise<string> {
  const path = join(worker.world.beside, someName('file', worker.random))
  await writeFile(path, described({ unit: 'file', id: newId() }, body(worker.random)), lockOptions(worker))
  return 'written'
}

async function putDirectory(worker: Worker): Promise<string> {
  const path = join(worker.world.beside, someName('directory', worker.random))
  const ifExists = worker.random() < 0.5 ? 'keep' : 'replace'
  const { outcome } = await writeDirectory(path, (dir) => fill(dir, worker), {
    ...lockOptions(worker),
    ifExists,
  })
  return outcome
}

/** As a worker that knows nothing of cachelatch: finds only what is whole, adds to it, and ends well or badly. */
async function liveInSlot(worker: Worker): Promise<string> {
  const { world, line, random } = worker
  const prepared = await prepareWorker({
    ...openOptions(world),
    cache: world.root,
    presets: [TESTED],
    settleMs: 50,
    maxSlots: MAX_SLOTS,
    env: {},
    onEvent: () => undefined,
  })
  const isAlone = prepared.slot !== null && world.locker === 'kernel'
  const stay = { lock: prepared.path ?? 'nowhere', mustBeAlone: isAlone }
  if (isAlone) await line.tell({ tell: 'in', ...stay, from: nowUs(), wasSure: true })
  let code = 1
  try {
    prepared.started()
    if (prepared.path !== null) await workIn(prepared.path, worker)
    code = random() < 0.7 ? 0 : 1
  } finally {
    if (isAlone) await line.tell({ tell: 'out', ...stay, to: nowUs(), wasSure: true, count: null })
    await prepared.ended(code)
  }
  return prepared.slot === null ? 'private' : code === 0 ? 'ended well' : 'ended badly'
}

async function workIn(slot: string, worker: Worker): Promise<void> {
  const unit = someName('unit', worker.random)
  const path = join(slot, 'groups', unit)
  try {
    if (checkDirectory(path, `groups/${unit}`) !== null) return
  } catch (error) {
    await worker.line.tell({ tell: 'violation', what: `found in a slot: ${String(error)}` })
    return
  }
  await fill(path, worker, `groups/${unit}`)
}

async function collect({ cache, random }: Worker): Promise<string> {
  const maxBytes = random() < 0.3 ? MAX_CACHE_BYTES / 20 : MAX_CACHE_BYTES
  const watchMs = random() < 0.1 ? 3 * STALE_MS : 0
  await cache.gc({ maxBytes, maxAgeMs: Infinity, watchMs, graceMs: random() < 0.5 ? 0 : 1_000 })
  return 'collected'
}

async function clear({ cache, random }: Worker): Promise<string> {
  return cache.remove(someName('key', random))
}

async function verify({ cache, line }: Worker): Promise<string> {
  const { damaged } = await cache.verify({ quarantine: true })
  const ours = damaged.filter(({ key }) => !key?.includes('damaged-'))
  if (ours.length > 0) await line.tell({ tell: 'violation', what: `verify found ${JSON.stringify(ours)}` })
  return 'verified'
}
