/** What a short command costs, from its start to its end: as published, each a process, beside Node's own start. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasFlockCommand } from '../../src/host/flock-command.js'
import type { Context } from '../context.js'
import { compilerTable } from '../compiler-table.js'
import { type Contender, measure, summarize } from '../measure.js'
import { cpuSecondsOfChildren } from '../raw.js'
import { type Group, type Row, type Table, atMost, ratioOf } from '../report.js'

const COMMAND = join(import.meta.dirname, '../../../dist/bin/cachelatch.js')
const FLOOR = 'node -e 0'
const VERSION = 'cachelatch --version'
const HIT = 'cachelatch once, a hit'

interface Start {
  name: string
  role: Row['role']
  /** Run one after the other. */
  lines: string[][]
}

export async function startUpGroup({ dir, quick, say }: Context): Promise<Group> {
  const node = [process.execPath, '-e', '0']
  const cachelatch = (...args: string[]): string[] => [process.execPath, COMMAND, ...args]
  const once = ['once', '--key', 'model=llama-8b', '--key', 'dtype=bf16', '--']
  const starts: Start[] = [
    { name: FLOOR, role: 'floor', lines: [node] },
    { name: VERSION, role: 'ours', lines: [cachelatch('--version')] },
    { name: HIT, role: 'ours', lines: [cachelatch(...once, 'false')] },
    { name: 'cachelatch exec NAME -- true', role: 'ours', lines: [cachelatch('exec', 'name', '--', 'true')] },
    { name: 'node -e 0, then true', role: 'other', lines: [node, ['true']] },
  ]
  const lock = join(dir, 'flock.lock')
  writeFileSync(lock, '')
  const flock = await hasFlockCommand()
  if (flock) starts.push({ name: 'flock FILE true', role: 'other', lines: [['flock', lock, 'true']] })

  const env = { ...process.env, CACHELATCH_DIR: join(dir, 'cache') }
  run(cachelatch(...once, 'sh', '-c', 'echo compiled >"$CACHELATCH_STAGE/graph.bin"'), env)
  say('start to end of a command')
  const tables = await wallAndCpu(starts, env, quick ? 5 : 40, flock ? [] : ['flock(1) is not installed'])
  say('a compiler behind it')
  const compiler = compilerTable(join(dir, 'compiler'), quick ? 3 : 15)
  return { name: 'start-up', tables: [...tables, await compiler], aims: tables.flatMap(aimsOf) }
}

function aimsOf(table: Table): Group['aims'] {
  return [
    atMost(null, `${VERSION}, to ${FLOOR}: ${table.title}`, ratioOf(table, VERSION), 1.5),
    atMost(7, `${HIT}, to ${FLOOR}: ${table.title}`, ratioOf(table, HIT), 1.3),
  ]
}

/** Both of the same runs. */
async function wallAndCpu(
  starts: Start[],
  env: NodeJS.ProcessEnv,
  rounds: number,
  skipped: string[],
): Promise<[Table, Table]> {
  const cpu = starts.map((): number[] => [])
  const contenders = starts.map(({ name, role, lines }, index): Contender => ({
    name,
    role,
    sample() {
      const [started, cpuBefore] = [performance.now(), cpuSecondsOfChildren()]
      for (const line of lines) run(line, env)
      const wallMs = performance.now() - started
      cpu[index]!.push((cpuSecondsOfChildren() - cpuBefore) * 1000)
      return wallMs
    },
  }))
  const wall = await measure({ title: 'wall time', unit: 'ms', rounds, contenders, skipped })
  // Without the rounds that do not count.
  const [floor, ...others] = cpu.map((values) => values.slice(-rounds))
  const rows = [floor!, ...others].map((values, index) =>
    summarize(starts[index]!.name, starts[index]!.role, values, floor!),
  )
  return [wall, { title: 'CPU time', unit: 'ms, user and system', rows }]
}

/** With a pipe for its output, as in `$(…)`. */
function run([program = '', ...args]: string[], env: NodeJS.ProcessEnv): void {
  const { status, stderr } = spawnSync(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status}: ${String(stderr)}`)
}
