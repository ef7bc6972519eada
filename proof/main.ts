/**
 * `npm run proof [-- --minutes 10]`: every part of the proof in full, one after another, and what became of each.
 *
 * --minutes: for the two parts that could go on for ever. --only tests,soak: these parts. Some need root and Debian's
 * packages (see .ci/run), and are skipped with the reason where those are missing. Exits with 1 when a part has failed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const BUILT = join(import.meta.dirname, '..')
const VITEST = join(BUILT, '../node_modules/vitest/vitest.mjs')

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, only: { type: 'string' } },
})

interface Part {
  name: string
  /** What would have been seen. */
  breaks: string
  args: string[]
}

const PARTS: Part[] = [
  {
    name: 'tests',
    breaks:
      'every call to the disk fails, every system call kills, every cut of the power, every plant of a neighbour',
    args: [VITEST, 'run'],
  },
  {
    name: 'simulate',
    breaks: 'the library’s code in worlds that a seed decides',
    args: ['--enable-source-maps', join(BUILT, 'test/simulation/main.js'), '--minutes', values.minutes],
  },
  {
    name: 'soak',
    breaks: '64 processes at random, killed, stopped and out of room',
    args: [join(BUILT, 'proof/soak/main.js'), '--minutes', values.minutes],
  },
  {
    name: 'safeguards',
    breaks: 'each safeguard taken away by itself: some test misses it',
    args: [join(BUILT, 'proof/safeguards/main.js')],
  },
  {
    name: 'parsers',
    breaks: 'each parser changed in one place: some test sees it',
    args: [join(BUILT, 'proof/mutants/main.js')],
  },
  {
    name: 'evidence',
    breaks: 'faults, file systems and the hand-made ways, in one table',
    args: [join(BUILT, 'proof/evidence/main.js')],
  },
]

const wanted = values.only?.split(',') ?? PARTS.map(({ name }) => name)
const unknown = wanted.filter((name) => !PARTS.some((part) => part.name === name))
if (unknown.length > 0) {
  process.stderr.write(
    `No such part: ${unknown.join(', ')}. There are ${PARTS.map(({ name }) => name).join(', ')}.\n`,
  )
  process.exit(64)
}

const lines: string[] = []
for (const part of PARTS.filter(({ name }) => wanted.includes(name))) {
  process.stdout.write(`\n== ${part.name}: ${part.breaks}\n`)
  const begun = performance.now()
  const status = await statusOf(part)
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1)
  lines.push(`${status === 0 ? 'held  ' : 'BROKEN'}  ${part.name.padEnd(10)}  ${minutes} min`)
  if (status !== 0) process.exitCode = 1
}
process.stdout.write(`\n${lines.join('\n')}\n`)

async function statusOf({ args }: Part): Promise<number> {
  const child = spawn(process.execPath, args, {
    env: { CACHELATCH_SOAK_SECONDS: '180', ...process.env, CACHELATCH_PROOF_SECONDS: 'all' },
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
