/** N workers, one key that nobody has compiled: until all have the entry in hand, and what that costs. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../context.js'
import { type Crowd, askAll, dismiss, gather, mebibytesOf } from '../crowd.js'
import { summarize } from '../measure.js'
import { type Aim, type Figure, type Group, type Row, atMost } from '../report.js'
import { seriesOf } from '../scale.js'
import { quantile } from '../statistics.js'

const COMPILE_SECONDS = 3
const NAMES = {
  ours: 'cachelatch',
  private: 'a directory per worker',
  compile: 'one compile alone',
} as const
type Kind = keyof typeof NAMES
const ROLES: Record<Kind, Row['role']> = { ours: 'ours', private: 'other', compile: 'floor' }
/** The aims are at 8 and 64. The private ones take N / cores compiles: no further than they can be waited for. */
const ROUNDS: Record<number, { ours: number; private: number }> = {
  1: { ours: 3, private: 2 },
  2: { ours: 3, private: 2 },
  4: { ours: 3, private: 2 },
  8: { ours: 5, private: 2 },
  16: { ours: 3, private: 1 },
  32: { ours: 3, private: 0 },
  64: { ours: 5, private: 0 },
  128: { ours: 3, private: 0 },
}

const MOST_ROUNDS = 5

interface Sample {
  workers: number
  kind: Kind
  seconds: number
  cpuSeconds: number
  /** The same number of workers when the entry is there, and the compile alone, both of the same round. */
  hitsCpuSeconds: number
  alone: Crowd
}

export async function oneKeyGroup({ dir, quick, say }: Context): Promise<Group> {
  const mebibytes = mebibytesOf(quick ? 0.3 : COMPILE_SECONDS)
  const samples: Sample[] = []
  for (let round = 0; round < (quick ? 1 : MOST_ROUNDS); round++) {
    const alone = await crowd('private', dir, 1, mebibytes)
    for (const [at, rounds] of Object.entries(ROUNDS)) {
      const workers = Number(at)
      if (quick && workers > 16) continue
      if (round < rounds.ours) {
        say(`round ${round + 1}: ${workers} workers`)
        const root = join(dir, `round-${round}-${workers}`)
        const cold = await crowd('ours', root, workers, mebibytes)
        const warm = await crowd('ours', root, workers, mebibytes)
        samples.push({ ...cold, workers, kind: 'ours', hitsCpuSeconds: warm.cpuSeconds, alone })
        rmSync(root, { recursive: true })
      }
      if (round < rounds.private) {
        const each = await crowd('private', dir, workers, mebibytes)
        samples.push({ ...each, workers, kind: 'private', hitsCpuSeconds: 0, alone })
      }
      samples.push({ ...alone, workers, kind: 'compile', hitsCpuSeconds: 0, alone })
    }
  }
  const labels = { along: 'workers' }
  return {
    name: 'one-key',
    tables: [],
    scalings: [
      {
        ...labels,
        title: 'N workers, one key that is not compiled yet: until all have it',
        unit: 's',
        note: `The compile takes ${COMPILE_SECONDS} s of one core. From a barrier at which all workers wait, started and the library loaded, until the last one has read what was compiled.`,
        series: seriesFrom(samples, ({ seconds }) => seconds),
      },
      {
        ...labels,
        title: 'The same: CPU of all together',
        unit: 's',
        note: 'From the barrier until each has read it, helper processes included.',
        series: seriesFrom(samples, ({ cpuSeconds }) => cpuSeconds),
      },
    ],
    aims: [8, 64].flatMap((workers) => aimsAt(workers, samples)),
  }
}

async function crowd(kind: Kind, root: string, count: number, mebibytes: number): Promise<Crowd> {
  mkdirSync(root, { recursive: true })
  const workers = await gather(kind === 'ours' ? root : `private:${root}`, count)
  const result = await askAll(workers, () => ({ key: 'model', mebibytes }))
  await dismiss(workers)
  return result
}

function seriesFrom(samples: Sample[], of: (sample: Sample) => number): ReturnType<typeof seriesOf> {
  const places = [...new Set(samples.map(({ workers }) => workers))]
  const kinds = Object.keys(NAMES) as Kind[]
  return seriesOf(
    places.map((at) => ({
      at,
      rows: kinds.map((kind) => {
        const here = samples.filter((sample) => sample.workers === at && sample.kind === kind)
        return summarize(NAMES[kind], ROLES[kind], here.map(of), null)
      }),
    })),
  )
}

function aimsAt(workers: number, samples: Sample[]): Aim[] {
  const ours = samples.filter((sample) => sample.workers === workers && sample.kind === 'ours')
  if (ours.length === 0) return []
  const middle = (of: (sample: Sample) => number): Figure => ({
    measured: quantile(ours.map(of), 0.5),
    samples: ours.length,
  })
  const time = middle(({ seconds, alone }) => seconds / alone.seconds)
  const cpu = middle(
    ({ cpuSeconds, hitsCpuSeconds, alone }) => cpuSeconds / (alone.cpuSeconds + hitsCpuSeconds),
  )
  return [
    atMost(
      6,
      `${workers} workers, one cold key: until all have it, to one compile`,
      time,
      workers === 8 ? 1.05 : 1.15,
    ),
    atMost(6, `${workers} workers, one cold key: CPU, to one compile and ${workers} hits`, cpu, 1.1),
  ]
}
