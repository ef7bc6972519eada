/** All processes that come of one crowd, helpers included, however they are related: known by a variable they inherit. */
import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const VARIABLE = 'CACHELATCH_BENCH_FAMILY'

export interface Seen {
  processes: number
  /** Those that are no worker: flock(1). */
  helpers: number
  /** Sum of Pss: what is shared is divided among its users. */
  gibibytes: number
}

export interface Family {
  /** For those that are to be in it. */
  env: NodeJS.ProcessEnv
  look(): Seen
}

export function familyOf(): Family {
  const name = randomBytes(8).toString('hex')
  const isMember = (pid: string): boolean =>
    readOrEmpty(`/proc/${pid}/environ`).includes(`${VARIABLE}=${name}`)
  return {
    env: { ...process.env, [VARIABLE]: name },
    look() {
      const members = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && isMember(entry))
      const kib = members.map((pid) =>
        Number(/^Pss:\s+(\d+)/m.exec(readOrEmpty(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0),
      )
      return {
        processes: members.length,
        helpers: members.filter((pid) => readOrEmpty(`/proc/${pid}/comm`).trim() === 'flock').length,
        gibibytes: kib.reduce((sum, one) => sum + one, 0) / 2 ** 20,
      }
    },
  }
}

/** A look takes as long as it takes; between two, the crowd has the machine for itself. */
const PAUSE_MS = 1_000

export function watchMemory(family: Family): { end: () => Promise<Seen> } {
  const peak: Seen = { processes: 0, helpers: 0, gibibytes: 0 }
  const ended = new AbortController()
  const watching = (async () => {
    while (!ended.signal.aborted) {
      await sleep(PAUSE_MS / 2, undefined, { signal: ended.signal }).catch(() => undefined)
      const seen = family.look()
      for (const figure of ['processes', 'helpers', 'gibibytes'] as const)
        peak[figure] = Math.max(peak[figure], seen[figure])
      await sleep(PAUSE_MS / 2, undefined, { signal: ended.signal }).catch(() => undefined)
    }
  })()
  return {
    async end() {
      ended.abort()
      await watching
      return peak
    },
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // It has just ended.
  }
}
