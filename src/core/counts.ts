/** What is counted, of one key or of all: sums only, so that the counts of many processes add up in any order. */
import type { Counts } from './report.js'

const NAMES = [
  'hits',
  'compiled',
  'waited',
  'private',
  'failures',
  'bytes',
  'buildMs',
  'waitedMs',
  'savedMs',
] as const satisfies readonly (keyof Counts)[]

export function noCounts(): Counts {
  return {
    hits: 0,
    compiled: 0,
    waited: 0,
    private: 0,
    failures: 0,
    bytes: 0,
    buildMs: 0,
    waitedMs: 0,
    savedMs: 0,
  }
}

export function addTo(sum: Counts, more: Partial<Counts>): void {
  for (const name of NAMES) sum[name] += more[name] ?? 0
}

/** Of all calls, the part that had to build nothing; `null` where there was no call. */
export function hitRate(counts: Counts): number | null {
  const idle = counts.hits + counts.waited
  const calls = idle + counts.compiled + counts.private
  return calls === 0 ? null : idle / calls
}

/** One line of a stats file: what one process has counted of one key, since its last line about it. */
export interface Counted {
  /** Milliseconds since 1970, when the line was written. */
  at: number
  /** SHA-256 of the key. */
  id: string
  /** Canonical JSON of the key, shortened. */
  key: string
  counts: Partial<Counts>
}

/** Only what is not zero, in whole units. */
export function encodeCounted({ at, id, key, counts }: Counted): string {
  const some = NAMES.map((name) => [name, Math.round(counts[name] ?? 0)] as const).filter(([, n]) => n > 0)
  return `${JSON.stringify({ at, id, key, ...Object.fromEntries(some) })}\n`
}

const ID = /^[0-9a-f]{64}$/

/** `null`: torn, or written by something else. */
export function decodeCounted(line: string): Counted | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { at, id, key, ...rest } = value as Record<string, unknown>
  if (!Number.isFinite(at) || typeof id !== 'string' || !ID.test(id) || typeof key !== 'string') return null
  const counts: Partial<Counts> = {}
  for (const name of NAMES) {
    const count = rest[name] ?? 0
    if (!Number.isSafeInteger(count) || (count as number) < 0) return null
    counts[name] = count as number
  }
  return { at: at as number, id, key, counts }
}
