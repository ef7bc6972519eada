/**
 * Unmodified workers that start together, cold and then warm, in each of the ways to give them a cache directory.
 * Prints Markdown; docs/measured.md is made of its output.
 *
 *     node .build/examples/measure/main.js inductor --python VENV/bin/python
 *     node .build/examples/measure/main.js triton --python VENV/bin/python --ways shared,run --dir A_BINDFS_MOUNT
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../../bench/machine.js'
import { type Row, asTable, describe } from './table.js'
import { type Program, WAYS } from './ways.js'
import { runTogether } from './workers.js'

const REPOSITORY = join(import.meta.dirname, '../../..')

const PROGRAMS: Record<string, Program> = {
  inductor: {
    script: 'inductor_worker.py',
    args: ['2'],
    variable: 'TORCHINDUCTOR_CACHE_DIR',
    preset: 'inductor',
  },
  triton: {
    script: 'triton_worker.py',
    args: ['groups', '100'],
    variable: 'TRITON_CACHE_DIR',
    preset: 'triton',
  },
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** With words before it, such as `chroot DIR python3`. */
    python: { type: 'string', default: 'python3' },
    /** The command to measure. */
    cachelatch: { type: 'string', default: `node ${join(REPOSITORY, 'dist/bin/cachelatch.js')}` },
    workers: { type: 'string', default: '8' },
    ways: { type: 'string', default: Object.keys(WAYS).join(',') },
    dir: { type: 'string', default: tmpdir() },
  },
})

const program = PROGRAMS[positionals[0] ?? '']
const ways = values.ways.split(',').map((name) => [name, WAYS[name]] as const)
if (program === undefined || ways.some(([, way]) => way === undefined)) {
  const [programs, known] = [PROGRAMS, WAYS].map((each) => Object.keys(each).join(', '))
  process.stderr.write(`Give a program (${programs}), and as --ways some of ${known}.\n`)
  process.exit(64)
}

const root = mkdtempSync(join(values.dir, 'cachelatch-measure-'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const machine = describeMachine(root)
const command = [
  ...values.python.split(' '),
  join(REPOSITORY, 'test/programs', program.script),
  ...program.args,
]
const rows: Row[] = []
for (const [name, way] of ways)
  for (const round of ['cold', 'warm']) {
    const dir = join(root, name)
    const wrapper = way!.wrapper(values.cachelatch.split(' '), dir, program.preset)
    const measured = await runTogether(Number(values.workers), wrapper, (n) => {
      const directory = way!.directory(dir, n)
      return { command, env: directory === null ? {} : { [program.variable]: directory } }
    })
    rows.push({ way: way!.title, round, measured })
    process.stderr.write(`${name}, ${round}: ${measured.wallSeconds.toFixed(1)} s\n`)
  }

const asked = ['node .build/examples/measure/main.js', ...process.argv.slice(2)].join(' ')
const version = `${positionals[0]} ${rows[0]!.measured.reports[0]!.version}`
process.stdout.write(`${describe(machine, asked, version)}\n${asTable(rows)}\n`)
