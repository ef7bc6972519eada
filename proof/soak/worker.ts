/**
 * Does one operation after another until it is told to stop, or killed.
 *
 * Arguments: the witness's socket, the world as JSON, and a seed.
 */
import { isLatchError, openCache } from '../../src/index.js'
import { startOf } from '../../test/support/proc.js'
import { mulberry32 } from '../../test/support/random.js'
import { OPERATIONS } from './operations.js'
import { Line } from './testimony.js'
import { type Worker, openOptions } from './work.js'
import type { World } from './worlds.js'

const [, , socket = '', worldText = '', seed = '0'] = process.argv

const state = { stopped: false }
process.on('message', () => (state.stopped = true))
process.on('disconnect', () => process.exit())

async function work(): Promise<void> {
  const world = JSON.parse(worldText) as World
  const line = new Line(socket)
  await line.tell({ tell: 'hello', pid: process.pid, start: startOf(process.pid)! })
  const random = mulberry32(Number(seed))
  const cache = await openCache(world.root, openOptions(world))
  const worker = { world, cache, line, random }
  while (!state.stopped) await doOne(worker)
  line.end()
  process.disconnect()
}

async function doOne(worker: Worker): Promise<void> {
  const { line, random } = worker
  const [operation, { run, needsRoom }] = choose(random)
  await line.tell({ tell: 'begins', operation })
  let outcome: string
  try {
    outcome = await run(worker)
  } catch (error) {
    outcome = isLatchError(error) ? error.code : 'error'
    if (!needsRoom || !isFull(error)) await line.tell({ tell: 'violation', what: describe(error) })
  }
  await line.tell({ tell: 'done', operation, outcome })
}

/** Also where the worker's own write found no room. */
function isFull(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: string; cause?: unknown }
  return code === 'ENOSPC' || (cause !== undefined && isFull(cause))
}

function choose(random: () => number): [string, (typeof OPERATIONS)[string]] {
  const all = Object.entries(OPERATIONS)
  let left = random() * all.reduce((sum, [, { weight }]) => sum + weight, 0)
  return all.find(([, { weight }]) => (left -= weight) < 0) ?? all[0]!
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `, because of ${describe(error.cause)}`
  return `${error.stack}${cause}`
}

void work()
