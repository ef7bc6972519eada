/** What workers do with entries: compile, read and keep them; each is looked at twice while it is in hand. */
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkDirectory } from '../../test/support/checker.js'
import { someName } from './names.js'
import { STALE_MS, TIMEOUT_MS, type Worker, fill } from './work.js'

/** Others collect meanwhile. */
const MAX_KEEP_MS = 1_000
const TICK_MS = 20

/** Kills are no fault of the build. */
const compileOptions = { timeoutMs: TIMEOUT_MS, retryCrashed: true, onWait: () => undefined }

export async function compile(worker: Worker, key: string): Promise<string> {
  const entry = await worker.cache.getOrCompile(key, ({ dir }) => fill(dir, worker), compileOptions)
  try {
    if (!key.startsWith('damaged')) await lookAgain(entry.path, worker)
    return entry.outcome
  } finally {
    await entry.release()
  }
}

/** Truncates it, as a bad disk would, when it is there. */
export async function compileDamaged(worker: Worker): Promise<string> {
  const key = someName('damaged', worker.random)
  const there = await worker.cache.get(key)
  if (there === null) return compile(worker, key)
  truncateSync(join(there.path, 'kernel.bin'), 10)
  await there.release()
  return 'damaged'
}

export async function read(worker: Worker): Promise<string> {
  const entry = await worker.cache.get(someName('key', worker.random))
  if (entry === null) return 'none'
  try {
    return await lookAgain(entry.path, worker)
  } finally {
    await entry.release()
  }
}

/** Half of them do their worst themselves: others seldom remove the very entry that somebody has in hand. */
export async function keep(worker: Worker): Promise<string> {
  const { cache, random } = worker
  const key = someName('key', random)
  const entry = await cache.getOrCompile(key, ({ dir }) => fill(dir, worker), compileOptions)
  const attack = random() < 0.5 ? () => cache.remove(key) : () => sleep(random() * MAX_KEEP_MS)
  try {
    return await lookAgain(entry.path, worker, attack)
  } finally {
    await entry.release()
  }
}

/** It stays whole, and the same, for as long as it is in hand. */
async function lookAgain(
  path: string,
  { world, random, line }: Worker,
  meanwhile: () => Promise<unknown> = () => sleep(random() * 30),
): Promise<string> {
  const look = (): string | null => {
    try {
      return checkDirectory(path)
    } catch (error) {
      return String(error)
    }
  }
  const pauses = monitorEventLoopDelay({ resolution: TICK_MS })
  pauses.enable()
  const first = look()
  await meanwhile()
  const then = look()
  const isWhole = first !== null && first === then && /^[0-9a-f]{16}$/.test(first)
  // Of a pause, the loop tells when it turns.
  if (!isWhole) await sleep(2 * TICK_MS)
  pauses.disable()
  if (isWhole) return 'whole'
  // Stopped meanwhile: whoever watches a network lock for so long takes the pin for that of the dead.
  if (world.locker === 'lockfile' && pauses.max / 1e6 > STALE_MS) return 'taken for dead'
  await line.tell({ tell: 'violation', what: `${path} in hand: ${first}, then ${then}` })
  return 'torn'
}
