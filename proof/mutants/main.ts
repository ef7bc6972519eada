/**
 * `npm run mutate-parsers`: makes every small mistake in the parsers, one at a time, and runs their tests. A mistake that
 * no test notices is printed, and fails the run, unless targets.ts says why it makes no difference.
 *
 *   npm run mutate-parsers -- [FILE…]      only these, such as `core/key`
 */
import { availableParallelism } from 'node:os'
import { EQUIVALENT, TARGETS } from './targets.js'
import { Bench, type Trial, trialsOf } from './trial.js'

const wanted = process.argv.slice(2)
const targets = TARGETS.filter(({ file }) => wanted.length === 0 || wanted.includes(file))
const trials = targets.flatMap(trialsOf)
const survivors: Trial[] = []

const benches = Array.from({ length: availableParallelism() }, () => new Bench())
process.once('exit', () => benches.forEach((bench) => bench.remove()))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

await shared(targets, async (bench, target) => {
  if (!(await bench.passes(target))) throw new Error(`The tests of ${target.file} fail as they are.`)
})
await shared(trials, async (bench, trial) => {
  if (!(await bench.notices(trial))) survivors.push(trial)
})
process.exit(report())

async function shared<T>(items: T[], work: (bench: Bench, item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  await Promise.all(
    benches.map(async (bench) => {
      for (const item of rest) await work(bench, item)
    }),
  )
}

function report(): number {
  const isExplained = ({ target, line }: Trial): boolean => EQUIVALENT[target.file]?.[line] !== undefined
  const unexplained = survivors.filter((trial) => !isExplained(trial))
  for (const { target, mutant, line } of unexplained)
    console.log(`NOT NOTICED  src/${target.file}.ts:${mutant.line}: ${line}`)
  const stale = targets.flatMap(({ file }) =>
    Object.keys(EQUIVALENT[file] ?? {})
      .filter((line) => !survivors.some((trial) => trial.target.file === file && trial.line === line))
      .map((line) => `src/${file}.ts: ${line}`),
  )
  for (const each of stale)
    console.log(`NOT SO  listed as making no difference, but noticed or gone: ${each}`)
  console.log(
    `${trials.length} mistakes in ${targets.length} files: ${trials.length - survivors.length} noticed, ` +
      `${survivors.length - unexplained.length} make no difference, ${unexplained.length} not noticed.`,
  )
  return unexplained.length + stale.length === 0 ? 0 : 1
}
