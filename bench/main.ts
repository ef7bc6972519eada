/** `npm run bench [-- --only lock,hit] [--quick] [--dir PATH]`: measures, prints, and writes bench/results/. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Context } from './context.js'
import { coldGroup } from './groups/cold.js'
import { handoverGroup } from './groups/handover.js'
import { hitGroup } from './groups/hit.js'
import { lockGroup } from './groups/lock.js'
import { publishGroup } from './groups/publish.js'
import { successionGroup } from './groups/succession.js'
import { describeMachine } from './machine.js'
import { type Group, type Report, asMarkdown } from './report.js'

const GROUPS: Record<string, (context: Context) => Promise<Group>> = {
  lock: lockGroup,
  hit: hitGroup,
  publish: publishGroup,
  handover: handoverGroup,
  succession: successionGroup,
  cold: coldGroup,
}

const RESULTS = join(import.meta.dirname, '../../bench/results')

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(GROUPS).join(',') },
    quick: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
  },
})

const chosen = values.only.split(',')
const unknown = chosen.filter((name) => !(name in GROUPS))
if (unknown.length > 0) {
  process.stderr.write(`Unknown group ${unknown.join(', ')}: there are ${Object.keys(GROUPS).join(', ')}.\n`)
  process.exit(64)
}

const started = performance.now()
const root = mkdtempSync(join(values.dir, 'cachelatch-bench-'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const machine = describeMachine(root)
const groups: Group[] = []
for (const name of chosen) groups.push(await runGroup(name))

const seconds = (performance.now() - started) / 1000
const report: Report = { schema: 1, machine, quick: values.quick, seconds: Math.round(seconds), groups }
process.stdout.write(asMarkdown(report))
// A part of the groups, or few samples, is for the one who runs it: it must not replace the whole.
const isWhole = !values.quick && chosen.length === Object.keys(GROUPS).length
if (isWhole) {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(join(RESULTS, 'README.md'), asMarkdown(report))
}

async function runGroup(name: string): Promise<Group> {
  const dir = join(root, name)
  mkdirSync(dir)
  const say = (line: string): void => void process.stderr.write(`${name}: ${line}\n`)
  const begun = performance.now()
  const group = await GROUPS[name]!({ dir, quick: values.quick, say })
  say(`${Math.round((performance.now() - begun) / 1000)} s`)
  rmSync(dir, { recursive: true, force: true })
  return group
}
