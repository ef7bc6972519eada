/** Values to pixels, and where the marks are. */
export interface Scale {
  (value: number): number
  marks: number[]
}

interface Span {
  from: number
  to: number
}

/** Powers of ten; of two where they span less than three decades of counts. */
export function logarithmic(values: readonly number[], { from, to }: Span, base: 2 | 10 = 10): Scale {
  const log = (value: number): number => Math.log(value) / Math.log(base)
  const low = Math.floor(log(Math.min(...values)) + 1e-9)
  const high = Math.max(Math.ceil(log(Math.max(...values)) - 1e-9), low + 1)
  const scale = (value: number): number => from + ((log(value) - low) / (high - low)) * (to - from)
  const step = Math.ceil((high - low) / 8)
  const marks = Array.from(
    { length: Math.floor((high - low) / step) + 1 },
    (_, index) => base ** (low + index * step),
  )
  return Object.assign(scale, { marks })
}

const NICE = [1, 2, 5, 10]
const MOST_MARKS = 6

/** From nought. */
export function linear(values: readonly number[], { from, to }: Span): Scale {
  const most = Math.max(...values) * 1.05
  const power = 10 ** Math.floor(Math.log10(most / MOST_MARKS))
  const step = NICE.map((factor) => factor * power).find((candidate) => most / candidate <= MOST_MARKS)!
  const end = Math.ceil(most / step) * step
  const scale = (value: number): number => from + (value / end) * (to - from)
  const marks = Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step)
  return Object.assign(scale, { marks })
}
