/**
 * `npm run safeguards [-- [--seconds N] [WORDS…]]`: takes away each safeguard in turn, or those whose names have one of
 * the WORDS, or as many as N seconds allow, and shows that a test misses it. Where all are missed, writes
 * docs/safeguards.md.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { format, resolveConfig } from 'prettier'
import { timeBox } from '../../test/support/time-box.js'
import { SAFEGUARDS } from './all.js'
import { SAFEGUARDS_PAGE, safeguardsPage } from './page.js'
import type { Safeguard } from './safeguard.js'
import { Bench, type Verdict } from './trial.js'

/** As many as there are cores on the smallest machine. */
const SIDE_BY_SIDE = 2

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string' } },
  allowPositionals: true,
})
const isWanted = (name: string): boolean =>
  positionals.length === 0 || positionals.some((each) => name.includes(each))
const wanted = SAFEGUARDS.filter(({ name }) => isWanted(name))
const budgetMs = values.seconds === undefined ? Infinity : Number(values.seconds) * 1000
const benches = Array.from({ length: SIDE_BY_SIDE }, () => new Bench())
process.once('exit', () => benches.forEach((bench) => bench.remove()))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const counts = await tryAll(budgetMs === Infinity ? wanted.values() : timeBox(wanted, { budgetMs }))
process.stdout.write(
  `${counts.killed} missed, ${counts.survived} not missed, ${counts.skipped} not tried here\n`,
)
if (counts.survived + counts.broken > 0) process.exit(1)
if (counts.killed === SAFEGUARDS.length) await writePage()

async function tryAll(safeguards: Iterator<Safeguard>): Promise<Record<Verdict['outcome'], number>> {
  const counts = { killed: 0, survived: 0, skipped: 0, broken: 0 }
  if (budgetMs === Infinity) await refuseBrokenTests()
  await shared(safeguards, async (bench, safeguard) => {
    const started = performance.now()
    const verdict = await bench.tryWithout(safeguard).catch(asBroken)
    counts[verdict.outcome]++
    tell(safeguard, verdict, performance.now() - started)
  })
  return counts
}

async function shared<T>(items: Iterator<T>, work: (bench: Bench, item: T) => Promise<void>): Promise<void> {
  const next = async (bench: Bench): Promise<void> => {
    for (let each = items.next(); !each.done; each = items.next()) await work(bench, each.value)
  }
  await Promise.all(benches.map(next))
}

/** The list has rotted: one that cannot be tried is as bad as one that is not missed. */
function asBroken(error: Error): Verdict {
  return { outcome: 'broken', failed: [error.message] }
}

/** A test that fails anyway proves nothing. */
async function refuseBrokenTests(): Promise<void> {
  const witnesses = wanted.flatMap(({ killedBy }) => killedBy)
  const files = new Set(witnesses.map(({ file }) => file))
  const failing: string[] = []
  await shared(files.values(), async (bench, file) => {
    failing.push(...(await bench.failingAnyway(witnesses.filter((each) => each.file === file))))
  })
  if (failing.length === 0) return
  process.stderr.write(`With all safeguards in place, these fail:\n${failing.join('\n')}\n`)
  process.exit(1)
}

function tell({ name, file }: Safeguard, { outcome, failed }: Verdict, elapsedMs: number): void {
  const what = {
    killed: `missed by “${failed[0]}”`,
    survived: 'NOT MISSED',
    skipped: 'not tried here',
    broken: `BROKEN: ${failed[0]}`,
  }[outcome]
  process.stdout.write(`${(elapsedMs / 1000).toFixed(1).padStart(5)} s  ${name} (${file}): ${what}\n`)
}

async function writePage(): Promise<void> {
  const style = { ...(await resolveConfig(SAFEGUARDS_PAGE)), parser: 'markdown' }
  writeFileSync(SAFEGUARDS_PAGE, await format(safeguardsPage(), style))
}
