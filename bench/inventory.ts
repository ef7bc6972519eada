/**
 * `node .build/bench/inventory.js [--entries 100000] [--dir PATH]`: a large cache, looked at by the command. Seconds
 * and peak memory of each, and how long one scan keeps the event loop of its process at most.
 *
 * The entries have manifests, locks and statistics, and no files: neither ls nor gc looks at these before something is
 * removed.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openCache } from '../src/index.js'
import { canonicalKey, keyLabel } from '../src/core/key.js'
import { sha256 } from '../src/host/hash.js'
import { Layout, MANIFEST } from '../src/store/layout.js'
import { encodeManifest } from '../src/store/manifest.js'
import { realAppending } from '../src/host/append-file.js'
import { countNow } from '../src/store/count.js'

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '100000' }, dir: { type: 'string', default: tmpdir() } },
})
const COMMAND = join(import.meta.dirname, '../../dist/bin/cachelatch.js')

const root = mkdtempSync(join(values.dir, 'cachelatch-bench-'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const cache = await openCache(root, { strict: true })
await cache.locker()
for (let index = 0; index < Number(values.entries); index++) plant(index)

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
for (const args of commands) rows.push(await measure(args))
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

function plant(index: number): void {
  const key = canonicalKey({ model: `entry ${index}`, dtype: 'bf16', device: 'sm_90' })
  const layout = new Layout(root)
  const path = layout.entry(sha256(key))
  mkdirSync(path, { recursive: true })
  const bytes = 1_000_000 + index
  const files = ['kernel.cubin', 'kernel.json', 'launcher.so'].map((name) => ({
    path: name,
    size: Math.floor(bytes / 3),
    mode: 0o644,
    sha256: sha256(name),
  }))
  const manifest = { key, createdAt: Date.now(), buildMs: 1, bytes, files, links: [], directories: [] }
  writeFileSync(join(path, MANIFEST), encodeManifest(manifest))
  // As its build has left them: a lock file is never deleted, and each process writes a line.
  writeFileSync(`${layout.lock(sha256(key))}.lock`, '')
  countNow(realAppending, layout, [
    { at: Date.now(), id: sha256(key), key: keyLabel(key), counts: { compiled: 1, bytes } },
  ])
}

interface Measured {
  name: string
  seconds: number
  mebibytes: number
}

async function measure(args: string[]): Promise<Measured> {
  const note = join(root, 'peak')
  const onExit = `import fs from 'node:fs'
process.on('exit', () => fs.writeFileSync(${JSON.stringify(note)}, String(process.resourceUsage().maxRSS)))`
  const hook = `data:text/javascript,${encodeURIComponent(onExit)}`
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', hook, COMMAND, ...args, '--cache', root], {
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error(`cachelatch ${args.join(' ')} ended with ${String(code)}`)
  const seconds = (performance.now() - started) / 1000
  return { name: args.join(' '), seconds, mebibytes: Number(readFileSync(note, 'utf8')) / 1024 }
}
