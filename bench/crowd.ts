/** Workers that are started, wait at a barrier, and then ask all at once. */
import { createHash } from 'node:crypto'
import { type Worker, allAnswers, startWorker } from './processes.js'
import { cpuSeconds } from './raw.js'
import { sumOf } from './statistics.js'
import type { Asked, Wish } from './workers/asker.js'

export interface Crowd {
  /** From the barrier until the last of all has what it asked for. */
  seconds: number
  /** Of the workers and their helpers, from the barrier until each has what it asked for. */
  cpuSeconds: number
  asked: Asked[]
}

/** @param root as the worker takes it */
export async function gather(root: string, count: number, env = process.env): Promise<Worker[]> {
  const workers = Array.from({ length: count }, () => startWorker('asker', [root], env))
  await allAnswers(workers)
  return workers
}

export async function askAll(workers: Worker[], wishOf: (index: number) => Wish): Promise<Crowd> {
  const answers = allAnswers(workers) as Promise<Asked[]>
  const begun = process.hrtime.bigint()
  workers.forEach((worker, index) => worker.send(wishOf(index)))
  const asked = await answers
  const last = asked.map(({ readyAt }) => BigInt(readyAt)).reduce((a, b) => (a > b ? a : b))
  return {
    seconds: Number(last - begun) / 1e9,
    cpuSeconds: sumOf(asked, (one) => one.cpuSeconds),
    asked,
  }
}

export async function dismiss(workers: Worker[]): Promise<void> {
  workers.forEach((worker) => worker.send('end'))
  await Promise.all(workers.map(({ gone }) => gone))
}

const PROBE_MEBIBYTES = 200

/** How much is hashed in `seconds` of one core: by its CPU time, whatever else the machine does. */
export function mebibytesOf(seconds: number): number {
  const block = Buffer.alloc(1024 * 1024, 'layer')
  const hash = createHash('sha256')
  const before = cpuSeconds()
  for (let done = 0; done < PROBE_MEBIBYTES; done++) hash.update(block)
  return Math.round((PROBE_MEBIBYTES * seconds) / (cpuSeconds() - before))
}
