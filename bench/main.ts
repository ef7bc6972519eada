/** `npm run bench [-- --only lock,hit] [--quick] [--dir PATH]`: measures, prints, and writes bench/results/. */
import { type ChildProcess, fork } from 'node:child_process'
import { on } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.js'
import { type Group, type Report, asMarkdown } from './report.js'

const GROUPS = ['lock', 'hit', 'publish', 'handover', 'succession', 'start-up', 'workers', 'cold']

const RESULTS = join(import.meta.dirname, '../../bench/results')

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: GROUPS.join(',') },
    quick: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
  },
})

const chosen = values.only.split(',')
const unknown = chosen.filter((name) => !GROUPS.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`Unknown group ${unknown.join(', ')}: there are ${GROUPS.join(', ')}.\n`)
  process.exit(64)
}

const started = performance.now()
const root = mkdtempSync(join(values.dir, 'cachelatch-bench-'))
let running: ChildProcess | undefined
process.once('exit', () => {
  running?.kill()
  rmSync(root, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const machine = describeMachine(root)
const groups: Group[] = []
for (const name of chosen) groups.push(await runGroup(name))

const seconds = (performance.now() - started) / 1000
const report: Report = { schema: 1, machine, quick: values.quick, seconds: Math.round(seconds), groups }
process.stdout.write(asMarkdown(report))
// A part of the groups, or few samples, is for the one who runs it: it must not replace the whole.
const isWhole = !values.quick && chosen.length === GROUPS.length
if (isWhole) {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(join(RESULTS, 'README.md'), asMarkdown(report))
}

/** In a process of its own: what one group has loaded, compiled or switched on is not the next one's. */
async function runGroup(name: string): Promise<Group> {
  const dir = join(root, name)
  mkdirSync(dir)
  const begun = performance.now()
  const child = fork(join(import.meta.dirname, 'run-group.js'), [name, dir, values.quick ? 'quick' : 'full'])
  running = child
  const messages = on(child, 'message', { close: ['disconnect'] })
  const { value, done } = (await messages.next()) as IteratorResult<[Group]>
  if (done) throw new Error(`The group ${name} ended without a result.`)
  process.stderr.write(`${name}: ${Math.round((performance.now() - begun) / 1000)} s\n`)
  rmSync(dir, { recursive: true, force: true })
  return value[0]
}
