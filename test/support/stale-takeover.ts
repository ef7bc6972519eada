/** Several processes, as on several hosts, want a lock whose holder is dead. In how many trials did two get in? */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
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

interface Seen {
  met: string[]
  lost: string[]
}

/** Returns the number of trials in which the witness saw two inside at once, neither of them told of a loss. */
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
  const met = new Set<string>()
  try {
    for (let first = 0; first < trials; first += BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, trials - first) }, (_, index) => first + index)
      const paths = numbers.map((number) => `${directory}/lock-${number}`)
      paths.forEach((path) => leaveDeadHolder(path, kind))
      const all = await Promise.all(workers.map((worker) => worker.ask<Seen>('contend', kind, paths)))
      const lost = new Set(all.flatMap((seen) => seen.lost))
      for (const path of all.flatMap((seen) => seen.met)) if (!lost.has(path)) met.add(path)
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()))
  }
  return met.size
}

/** What a holder that died an hour ago has left: with proper-lockfile an empty directory, with us one with a token. */
function leaveDeadHolder(path: string, kind: Trials['kind']): void {
  const longAgo = Date.now() / 1000 - 3600
  mkdirSync(`${path}.held`)
  if (kind === 'cachelatch') writeFileSync(`${path}.held/${'0'.repeat(32)}`, '')
  utimesSync(`${path}.held`, longAgo, longAgo)
}
