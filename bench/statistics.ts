/** What many samples come to. */

/** Between neighbours, linear. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const position = at * (sorted.length - 1)
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}

export function sumOf<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0)
}

export type Growth = 'not to be told' | 'flat' | 'less than linear' | 'linear' | 'worse than linear'

/** Below that, cost that does not grow (a process's start, an fsync) hides the growth. */
const FITTED_DECADES = 2

/** The power of x with which y grows: least squares on the logarithms, over the last two decades of x. */
export function exponentOf(points: readonly { at: number; median: number }[]): number {
  const last = Math.max(...points.map(({ at }) => at))
  const fitted = points
    .filter(({ at, median }) => at >= last / 10 ** FITTED_DECADES && median > 0)
    .map(({ at, median }) => ({ x: Math.log(at), y: Math.log(median) }))
  const [meanX, meanY] = [
    sumOf(fitted, ({ x }) => x) / fitted.length,
    sumOf(fitted, ({ y }) => y) / fitted.length,
  ]
  const slope = sumOf(fitted, ({ x, y }) => (x - meanX) * (y - meanY))
  return slope / sumOf(fitted, ({ x }) => (x - meanX) ** 2)
}

export function growthOf(exponent: number): Growth {
  // Of one point.
  if (!Number.isFinite(exponent)) return 'not to be told'
  if (exponent < 0.15) return 'flat'
  if (exponent < 0.85) return 'less than linear'
  return exponent <= 1.15 ? 'linear' : 'worse than linear'
}
