/**
 * `node .build/bench/inventory.js [--entries 100000] [--dir PATH]`: a large cache, looked at by the command. Seconds
 * and peak memory of each, and how long one scan keeps the event loop of its process at most.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openCache } from '../src/index.js'
import { runCommand } from './command-run.js'
import { plant } from './planted.js'

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '100000' }, dir: { type: 'string', default: tmpdir() } },
})

const root = mkdtempSync(join(values.dir, 'cachelatch-bench-'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const cache = await openCache(root, { strict: true })
await cache.locker()
for (let index = 0; index < Number(values.entries); index++) plant(root, index)

const commands = [
  ['ls'],
  ['ls', '--json'],
  ['ls', '-q', 'entry 4711'],
  ['gc', '--dry-run'],
  ['gc', '--dry-run', '--max-size', '1GB'],
  ['status'],
  ['stats', '--by-key'],
  ['gc'],
]
const rows = []
for (const args of commands) {
  const run = await runCommand([...args, '--cache', root], join(root, 'peak'))
  rows.push({ name: args.join(' '), ...run })
}
process.stdout.write('| cachelatch | seconds | peak memory, MiB |\n| --- | ---: | ---: |\n')
for (const { name, seconds, mebibytes } of rows)
  process.stdout.write(`| ${name} | ${seconds.toFixed(1)} | ${mebibytes.toFixed(0)} |\n`)

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
let count = 0
for await (const entry of cache.list()) count += entry.files
delay.disable()
process.stdout.write(
  `\n${count} entries; longest block of the event loop: ${(delay.max / 1e6).toFixed(0)} ms\n`,
)
