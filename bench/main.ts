/**
 * `npm run bench [-- --only lock,hit] [--quick] [--large] [--dir PATH] [--json FILE]`: measures, prints, keeps all of it
 * in bench/results/latest.json, and draws the page and the pictures of it. Of a part, the JSON goes to FILE alone.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { on } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { GROUPS } from './groups.js'
import { describeMachine } from './machine.js'
import { asMarkdown } from './page.js'
import type { Group, Report } from './report.js'
import { drawResults, keepResults } from './results.js'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(GROUPS).join(',') },
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
  },
})

const chosen = values.only.split(',')
const unknown = chosen.filter((name) => !Object.hasOwn(GROUPS, name))
if (unknown.length > 0) {
  process.stderr.write(`Unknown group ${unknown.join(', ')}: there are ${Object.keys(GROUPS).join(', ')}.\n`)
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
const failed: string[] = []
for (const name of chosen) {
  const group = await runGroup(name)
  if (group === null) failed.push(name)
  else groups.push(group)
}

const seconds = Math.round((performance.now() - started) / 1000)
const report: Report = { schema: 2, machine, quick: values.quick, seconds, groups }
process.stdout.write(asMarkdown(report, []))
// A part of the groups, or few samples, is for the one who runs it: it must not replace the whole.
const isWhole = !values.quick && groups.length === Object.keys(GROUPS).length
if (values.json !== undefined) keepResults(report, values.json)
if (isWhole) {
  keepResults(report)
  drawResults()
}
if (failed.length > 0) {
  process.stderr.write(`Failed, so nothing was kept but --json: ${failed.join(', ')}.\n`)
  process.exitCode = 1
}

/**
 * In a process of its own: what one group has loaded, compiled or switched on is not the next one's.
 * `null`: it failed, and has said why; the others are measured all the same.
 */
async function runGroup(name: string): Promise<Group | null> {
  const dir = join(root, name)
  mkdirSync(dir)
  const begun = performance.now()
  const extents = [...(values.quick ? ['quick'] : []), ...(values.large ? ['large'] : [])]
  const child = fork(join(import.meta.dirname, 'run-group.js'), [name, dir, ...extents])
  running = child
  const messages = on(child, 'message', { close: ['disconnect'] })
  const { value, done } = (await messages.next()) as IteratorResult<[Group]>
  process.stderr.write(`${name}: ${Math.round((performance.now() - begun) / 1000)} s\n`)
  rmSync(dir, { recursive: true, force: true })
  return done ? null : value[0]
}
