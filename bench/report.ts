/** What a bench run says, as it is kept in results/latest.json; page.ts and plots/ make all else of it. */
import type { Machine } from './machine.js'
import { type Growth, quantile } from './statistics.js'

export interface Row {
  name: string
  role: 'ours' | 'floor' | 'other'
  median: number
  /** First and third quartile. */
  low: number
  high: number
  samples: number
  /** To the floor of the table: the median of the ratios within each round. `null`: there is no floor. */
  ratio: number | null
  /** Every sample, in the order of the rounds. */
  values: number[]
  /** Further columns of this table. */
  more?: Record<string, number>
}

export interface Table {
  title: string
  unit: string
  /** What the floor is, where that needs words. */
  note?: string
  rows: Row[]
  /** What could not be measured here, and why. */
  skipped?: string[]
}

export interface Point {
  at: number
  median: number
  low: number
  high: number
  samples: number
}

/** One way, at more and more of something. */
export interface Series {
  name: string
  role: Row['role']
  points: Point[]
  /** Of x; `null`: of one point there is none. */
  exponent: number | null
  growth: Growth
}

export interface Scaling {
  title: string
  /** Of what there is more and more, such as `workers`, and how its numbers are written. */
  along: string
  alongBytes?: boolean
  unit: string
  note?: string
  series: Series[]
  skipped?: string[]
}

export interface Aim {
  /** Of the project's seven; `null`: watched, and no aim of these. */
  aim: number | null
  text: string
  measured: number
  limit: number
  /** Whether `measured` must not be above or not below the limit. */
  bound: 'most' | 'least'
  unit: string
  samples: number
  met: boolean
}

export interface Group {
  name: string
  tables: Table[]
  scalings?: Scaling[]
  aims: Aim[]
}

export interface Report {
  schema: 2
  machine: Machine
  quick: boolean
  seconds: number
  groups: Group[]
}

/** A figure, and how many samples it is the median of. */
export interface Figure {
  measured: number
  samples: number
}

export function atMost(aim: Aim['aim'], text: string, figure: Figure, limit: number, unit = '×'): Aim {
  return { aim, text, ...figure, limit, bound: 'most', unit, met: figure.measured <= limit }
}

export function atLeast(aim: Aim['aim'], text: string, figure: Figure, limit: number, unit = '×'): Aim {
  return { aim, text, ...figure, limit, bound: 'least', unit, met: figure.measured >= limit }
}

/** The row's ratio to the floor, as an aim needs it. */
export function ratioOf(table: Table, name: string): Figure {
  const { ratio, samples } = rowOf(table, name)
  return { measured: ratio ?? Number.NaN, samples }
}

export function medianOf(table: Table, name: string): Figure {
  const { median, samples } = rowOf(table, name)
  return { measured: median, samples }
}

/** How many times as long one takes as the other: the median of the ratios within each round. */
export function timesAsLong(table: Table, slow: string, fast: string): Figure {
  const [slower, faster] = [rowOf(table, slow).values, rowOf(table, fast).values]
  const ratios = slower.slice(0, faster.length).map((value, round) => value / faster[round]!)
  return { measured: quantile(ratios, 0.5), samples: ratios.length }
}

export function rowOf(table: Table, name: string): Row {
  const row = table.rows.find((candidate) => candidate.name === name)
  if (row === undefined) throw new TypeError(`No row ${name} in ${table.title}.`)
  return row
}
