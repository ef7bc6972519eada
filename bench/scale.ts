/** The same at 1, 10, 100 …: at each step the contenders take turns, and of all steps the growth is told. */
import { type Contender, measure } from './measure.js'
import type { Row, Scaling, Series } from './report.js'
import { exponentOf, growthOf } from './statistics.js'

export interface Steps extends Omit<Scaling, 'series'> {
  at: number[]
  roundsAt: (at: number) => number
  warmUpAt?: (at: number) => number
  contendersAt: (at: number) => Promise<Contender[]> | Contender[]
}

export async function measureScaling(steps: Steps): Promise<Scaling> {
  const { at: places, roundsAt, warmUpAt, contendersAt, ...labels } = steps
  const measured: { at: number; rows: Row[] }[] = []
  for (const at of places) {
    const contenders = await contendersAt(at)
    const plan = { title: '', unit: steps.unit, rounds: roundsAt(at), warmUp: warmUpAt?.(at), contenders }
    const { rows } = await measure(plan)
    measured.push({ at, rows })
  }
  return { ...labels, series: seriesOf(measured) }
}

export function seriesOf(measured: { at: number; rows: Row[] }[]): Series[] {
  const names = new Map(measured.flatMap(({ rows }) => rows.map(({ name, role }) => [name, role] as const)))
  return [...names].map(([name, role]) => {
    const points = measured.flatMap(({ at, rows }) => {
      const row = rows.find((candidate) => candidate.name === name)
      if (row === undefined || row.samples === 0) return []
      const { median, low, high, samples } = row
      return [{ at, median, low, high, samples }]
    })
    const exponent = exponentOf(points)
    return { name, role, points, exponent: points.length > 1 ? exponent : null, growth: growthOf(exponent) }
  })
}
