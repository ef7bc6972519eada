/** Side by side: contenders are sampled in turn, so that whatever else the machine does meets all of them. */
import type { Row, Table } from './report.js'
import { quantile } from './statistics.js'

export interface Contender {
  name: string
  role: Row['role']
  /** One sample: the time of one operation, in the unit of the table. */
  sample(): Promise<number> | number
  /** Clean-up after a sample, outside of the measurement. */
  rest?(): Promise<void> | void
  /** At most so many samples, for what takes long. */
  rounds?: number
}

export interface Plan {
  title: string
  unit: string
  note?: string
  rounds: number
  /** Rounds that do not count, first; default 1. */
  warmUp?: number | undefined
  contenders: Contender[]
  skipped?: string[]
}

/** Rounds to warm up, then `rounds` rounds, each beginning with another contender. */
export async function measure({ contenders, rounds, warmUp = 1, ...labels }: Plan): Promise<Table> {
  const samples: number[][] = contenders.map(() => [])
  for (let round = -warmUp; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + Math.max(round, 0)) % contenders.length
      const contender = contenders[index]!
      if (round >= (contender.rounds ?? rounds)) continue
      const value = await contender.sample()
      await contender.rest?.()
      if (round >= 0) samples[index]!.push(value)
    }
  }
  const floor = contenders.findIndex(({ role }) => role === 'floor')
  const rows = contenders.map(({ name, role }, index) =>
    summarize(name, role, samples[index]!, samples[floor] ?? null),
  )
  return { ...labels, rows }
}

export function summarize(name: string, role: Row['role'], values: number[], floor: number[] | null): Row {
  const ratios = floor === null ? [] : values.map((value, round) => value / (floor[round] ?? Number.NaN))
  return {
    name,
    role,
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    samples: values.length,
    ratio: floor === null ? null : quantile(ratios.filter(Number.isFinite), 0.5),
    values: values.map((value) => Number(value.toPrecision(4))),
  }
}

/** Microseconds an operation, over `times` in a row. */
export async function micros(times: number, operation: (index: number) => unknown): Promise<number> {
  const started = performance.now()
  for (let index = 0; index < times; index++) await operation(index)
  return ((performance.now() - started) * 1000) / times
}

/** The same for what is synchronous: no turn of the event loop is counted. */
export function microsSync(times: number, operation: (index: number) => void): number {
  const started = performance.now()
  for (let index = 0; index < times; index++) operation(index)
  return ((performance.now() - started) * 1000) / times
}

/** Milliseconds of one operation, for what takes long. */
export async function millis(operation: () => unknown): Promise<number> {
  return (await micros(1, operation)) / 1000
}
