/** Where the marks of a time axis are, and what they say. */

export interface Mark {
  /** Milliseconds from the left end. */
  at: number
  label: string
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Up to which length, and how far apart marks may be. */
const UNITS: { upTo: number; ms: number; name: string }[] = [
  { upTo: SECOND, ms: 1, name: 'ms' },
  { upTo: 3 * MINUTE, ms: SECOND, name: 's' },
  { upTo: 3 * HOUR, ms: MINUTE, name: 'min' },
  { upTo: 3 * DAY, ms: HOUR, name: 'h' },
  { upTo: Infinity, ms: DAY, name: 'd' },
]

/** At most `most` marks, at round times; the first one names the unit. */
export function marksOf(durationMs: number, most: number): Mark[] {
  const unit = UNITS.find(({ upTo }) => durationMs < upTo) ?? UNITS.at(-1)!
  const length = durationMs / unit.ms
  const step = roundStep(length / Math.max(1, most))
  const marks = Array.from({ length: Math.floor(length / step + 1e-9) + 1 }, (_, index) => index * step)
  return marks.map((value, index) => ({
    at: value * unit.ms,
    label: index === 0 ? `0 ${unit.name}` : String(Number(value.toFixed(6))),
  }))
}

/** The least of 1, 2, 5, 10 … that is at least `least`. */
function roundStep(least: number): number {
  if (!(least > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power
}

/** `3.4 s`, `12 min`, for a sentence. */
export function formatSpan(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 3 * MINUTE) return `${(ms / SECOND).toFixed(1)} s`
  return ms < 3 * HOUR ? `${Math.round(ms / MINUTE)} min` : `${(ms / HOUR).toFixed(1)} h`
}
