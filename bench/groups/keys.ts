/** A cache of 1 to 100 000 entries: a hit in it, and what looks at all of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCache } from '../../src/index.js'
import { type CommandRun, runCommand } from '../command-run.js'
import type { Context } from '../context.js'
import { micros, summarize } from '../measure.js'
import { plant } from '../planted.js'
import type { Group, Row, Scaling } from '../report.js'
import { seriesOf } from '../scale.js'

const ENTRIES = [1, 10, 100, 1_000, 10_000, 100_000]
const ROUNDS = 5
const HITS = 500
const COMMANDS = [
  ['ls', '--json'],
  ['gc', '--dry-run', '--max-size', '1GB'],
]

/** What was measured with so many entries. */
interface Step {
  at: number
  hits: number[]
  /** Of each command, its rounds. */
  runs: CommandRun[][]
}

export async function keysGroup({ dir, quick, say }: Context): Promise<Group> {
  const root = join(dir, 'cache')
  const cache = await openCache(root, { strict: true })
  const hit = async (): Promise<void> =>
    (await cache.getOrCompile('warm', ({ dir: stage }) => fill(stage))).release()
  await hit()
  const steps: Step[] = []
  for (const at of ENTRIES.filter((entries) => !quick || entries <= 1_000)) {
    say(`${at} entries`)
    for (let index = steps.at(-1)?.at ?? 1; index < at; index++) plant(root, index)
    steps.push(await measureStep(at, root, hit, quick ? 2 : ROUNDS))
  }
  return { name: 'keys', tables: [], scalings: scalingsOf(steps), aims: [] }
}

async function measureStep(
  at: number,
  root: string,
  hit: () => Promise<void>,
  rounds: number,
): Promise<Step> {
  const step: Step = { at, hits: [], runs: COMMANDS.map(() => []) }
  await micros(HITS, hit)
  for (let round = 0; round < rounds; round++) {
    step.hits.push(await micros(HITS, hit))
    for (const [index, args] of COMMANDS.entries())
      step.runs[index]!.push(await runCommand([...args, '--cache', root], join(root, '../peak')))
  }
  return step
}

function scalingsOf(steps: Step[]): Scaling[] {
  const along = 'entries'
  const commands = (of: (run: CommandRun) => number): ReturnType<typeof seriesOf> =>
    seriesOf(
      steps.map(({ at, runs }) => ({
        at,
        rows: COMMANDS.map((args, index): Row =>
          summarize(`cachelatch ${args.join(' ')}`, 'ours', runs[index]!.map(of), null),
        ),
      })),
    )
  const hits = steps.map(({ at, hits: values }) => ({
    at,
    rows: [summarize('getOrCompile + release', 'ours', values, null)],
  }))
  return [
    {
      title: 'A hit in a cache of N entries',
      along,
      unit: 'µs',
      note: 'An entry of one file.',
      series: seriesOf(hits),
    },
    {
      title: 'What looks at all of N entries',
      along,
      unit: 's',
      note: 'From start to end of the command. The entries have manifests, locks and statistics, and none of their files, which neither looks at.',
      series: commands(({ seconds }) => seconds),
    },
    { title: 'The same: memory', along, unit: 'MiB at most', series: commands(({ mebibytes }) => mebibytes) },
  ]
}

function fill(stage: string): void {
  writeFileSync(join(stage, 'kernel.bin'), 'x'.repeat(1024))
}
