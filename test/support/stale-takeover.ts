/** Several processes, as on several hosts, want a lock whose holder is dead. In how many trials did two get in? */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import type { Stay } from '../processes/workers/takeover.js'
import { WorkerProcess } from './worker-process.js'

/** Locks that are contended for at a time. */
const BATCH = 25

export interface Trials {
  kind: 'cachelatch' | 'proper-lockfile'
  contenders: number
  trials: number
  /** An empty directory. */
  directory: string
  start?: (script: string, args: string[], env: NodeJS.ProcessEnv) => WorkerProcess
}

/** In how many trials two were inside at once, neither of whom could know that it may have lost the lock. */
export async function countDoubleHolders({
  kind,
  contenders,
  trials,
  directory,
  start,
}: Trials): Promise<number> {
  const startWorker = start ?? ((script, args, env) => new WorkerProcess(script, args, env))
  const workers = Array.from({ length: contenders }, (_, index) => {
    const gates = `${directory}/gates-${index}`
    mkdirSync(gates)
    return startWorker('takeover', [], { CACHELATCH_GATE_DIR: gates })
  })
  let doubles = 0
  try {
    for (let first = 0; first < trials; first += BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, trials - first) }, (_, index) => first + index)
      const paths = numbers.map((number) => `${directory}/lock-${number}`)
      paths.forEach((path) => leaveDeadHolder(path, kind))
      const all = await Promise.all(workers.map((worker) => worker.ask<Stay[]>('contend', kind, paths)))
      const sure = all.flat().filter(({ wasLost }) => !wasLost)
      doubles += paths.filter((path) => overlap(sure.filter((stay) => stay.path === path))).length
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()))
  }
  return doubles
}

function overlap(stays: Stay[]): boolean {
  const inOrder = stays.toSorted((a, b) => (a.from < b.from ? -1 : 1))
  return inOrder.some(({ from }, index) => index > 0 && from < inOrder[index - 1]!.to)
}

/** What a holder that died an hour ago has left: with proper-lockfile an empty directory, with us one with a token. */
function leaveDeadHolder(path: string, kind: Trials['kind']): void {
  const longAgo = Date.now() / 1000 - 3600
  mkdirSync(`${path}.held`)
  if (kind === 'cachelatch') writeFileSync(`${path}.held/${'0'.repeat(32)}`, '')
  utimesSync(`${path}.held`, longAgo, longAgo)
}
