/** A real compiler behind a cache: gcc by itself, behind ccache, and behind `cachelatch once`. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Contender, measure } from './measure.js'
import type { Table } from './report.js'

const COMMAND = join(import.meta.dirname, '../../dist/bin/cachelatch.js')
const FUNCTIONS = 60

export async function compilerTable(dir: string, rounds: number): Promise<Table> {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'kernel.c'), source())
  const labels = {
    title: 'gcc behind a cache',
    unit: 'ms',
    note:
      'From start to end of the command. ccache hashes the source, its headers and the compiler’s mtime, and writes ' +
      'the object file; `once` hashes the source (`--key-file`), takes the rest of the key as given, and prints where ' +
      'the object file is. ccache syncs nothing to the device, `once` does; `once` starts Node, which takes as long ' +
      'as `node -e 0` above.',
  }
  if (!has('gcc')) return { ...labels, rows: [], skipped: ['gcc is not installed'] }
  const contenders: Contender[] = [{ name: 'gcc -O2', role: 'floor', sample: timed(dir, GCC) }]
  if (has('ccache')) contenders.push(...coldAndHit(dir, 'ccache', 'other', ['ccache', ...GCC]))
  contenders.push(...coldAndHit(dir, 'cachelatch once', 'ours', ONCE))
  const skipped = has('ccache') ? [] : ['ccache is not installed']
  return measure({ ...labels, rounds, contenders, skipped })
}

const GCC = ['gcc', '-O2', '-c', 'kernel.c', '-o', 'kernel.o']
const BY_ONCE = ['gcc', '-O2', '-c', 'kernel.c', '-o', '{stage}/kernel.o']
const ONCE = [
  process.execPath,
  COMMAND,
  'once',
  '-q',
  '--key-file',
  'kernel.c',
  '--key',
  'flags=-O2',
  '--',
  ...BY_ONCE,
]

function coldAndHit(dir: string, name: string, role: Contender['role'], line: string[]): Contender[] {
  const run = timed(dir, line)
  const forget = (): void =>
    ['ccache', 'once'].forEach((cache) => rmSync(join(dir, cache), { recursive: true, force: true }))
  return [
    { name: `${name}, cold`, role, sample: () => (forget(), run()) },
    { name: `${name}, a hit`, role, sample: () => (run(), run()) },
  ]
}

function timed(dir: string, [program = '', ...args]: string[]): () => number {
  const env = { ...process.env, CCACHE_DIR: join(dir, 'ccache'), CACHELATCH_DIR: join(dir, 'once') }
  return () => {
    const started = performance.now()
    const { status, stderr } = spawnSync(program, args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] })
    if (status !== 0)
      throw new Error(`${[program, ...args].join(' ')} ended with ${status}: ${String(stderr)}`)
    return performance.now() - started
  }
}

function has(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}

function source(): string {
  const body = (index: number): string =>
    `float layer_${index}(const float *x, int n) { float sum = ${index}; ` +
    `for (int i = 0; i < n; i++) sum += x[i] * sum - x[(i * ${index + 3}) % n]; return sum; }`
  return `${Array.from({ length: FUNCTIONS }, (_, index) => body(index)).join('\n')}\n`
}
