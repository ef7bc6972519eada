/** What an unmodified worker pays for a slot of its own: seeding beside `cp -a`, and the wrapper beside none. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Preset } from '../../src/launch/preset.js'
import { prepareWorker } from '../../src/launch/worker.js'
import type { WorkerEvent } from '../../src/launch/worker-events.js'
import type { Context } from '../context.js'
import { measure, summarize } from '../measure.js'
import { type Group, type Table, atMost, ratioOf } from '../report.js'
import { onReflinks } from '../reflinks.js'

const COMMAND = join(import.meta.dirname, '../../../dist/bin/cachelatch.js')
const COPY = 'cp -a'
const SEED = 'a slot seeded'
/** As Triton has it: a directory a kernel, eight files each. */
const FILES_A_UNIT = 8
const PRESET: Preset = {
  name: 'bench',
  about: 'a compiler',
  variables: { BENCH_CACHE: 'bench' },
  units: ['bench/*'],
  checked: 'here',
}

interface Sizes {
  files: number
  fileBytes: number
}

export async function workersGroup({ dir, quick, say }: Context): Promise<Group> {
  const sizes = quick ? { files: 800, fileBytes: 50_000 } : { files: 10_000, fileBytes: 50_000 }
  const rounds = quick ? 2 : 5
  say('seeding')
  const seeding = await seedingTable('seeding', join(dir, 'here'), sizes, rounds)
  const tables = [seeding]
  const reflinks = await onReflinks(dir, (mount) =>
    seedingTable('seeding where blocks are shared (xfs)', mount, sizes, rounds),
  )
  if (reflinks) tables.push(reflinks)
  say('the wrapper')
  const start = await startTable(dir, quick ? 3 : 20)
  say('at rest')
  const rest = await restTable(dir, quick ? 5 : 30)
  const aims = [
    atMost(null, `${SEED}, to ${COPY}`, ratioOf(seeding, SEED), 1.5),
    atMost(null, 'run -- true, to node -e 0 and true', ratioOf(start, RUN), 2),
  ]
  return { name: 'workers', tables: [...tables, start, rest], aims }
}

/** Both copy the same files, into a new directory. */
async function seedingTable(title: string, dir: string, sizes: Sizes, rounds: number): Promise<Table> {
  const cache = join(dir, 'cache')
  const source = await publishSnapshot(cache, sizes)
  const target = join(dir, 'copy')
  const copy = async (): Promise<number> => {
    const started = performance.now()
    execFileSync('cp', ['-a', '--reflink=auto', source, target])
    return performance.now() - started
  }
  const seed = async (): Promise<number> => {
    const started = performance.now()
    const worker = await prepareWorker({ cache, presets: [PRESET], settleMs: 0 })
    const elapsedMs = performance.now() - started
    if (worker.slot !== 0) throw new Error('the slot was not to be had')
    await worker.ended(1) // Badly: the next one is seeded from nothing.
    return elapsedMs
  }
  // What is to be seeded is gone before, and all of it is on the device: neither pays for the other's writing.
  const settle = (path: string): void => {
    rmSync(path, { recursive: true, force: true })
    rmSync(`${path}.ended-well.json`, { force: true })
    execFileSync('sync')
  }
  settle(source)
  await seed()
  return measure({
    title,
    unit: 'ms',
    note: `${sizes.files} files of ${sizes.fileBytes} bytes, in units of ${FILES_A_UNIT}`,
    rounds,
    contenders: [
      { name: COPY, role: 'floor', sample: copy, rest: () => settle(target) },
      {
        name: SEED,
        role: 'ours',
        async sample() {
          settle(source)
          return seed()
        },
      },
    ],
  })
}

/** Fills a slot as a worker would, and publishes it; returns the slot's directory. */
async function publishSnapshot(cache: string, { files, fileBytes }: Sizes): Promise<string> {
  const troubles: WorkerEvent[] = []
  const onEvent = (event: WorkerEvent): void => {
    if (event.type === 'worker-degraded') troubles.push(event)
  }
  mkdirSync(cache, { recursive: true })
  const worker = await prepareWorker({ cache, presets: [PRESET], settleMs: 0, onEvent })
  const bytes = randomBytes(fileBytes)
  for (let index = 0; index < files; index++) {
    const path = join(worker.path!, 'bench', `unit-${Math.floor(index / FILES_A_UNIT)}`, `file-${index}`)
    mkdirSync(dirname(path), { recursive: true })
    bytes.writeUInt32LE(index)
    writeFileSync(path, bytes)
  }
  await worker.ended(0)
  if (troubles.length > 0) throw new Error('the snapshot could not be published', { cause: troubles[0] })
  return worker.path!
}

const RUN = 'cachelatch run -- true, a slot that is there'

async function startTable(dir: string, rounds: number): Promise<Table> {
  const env = { ...process.env, CACHELATCH_DIR: join(dir, 'start') }
  const sample =
    (...lines: string[][]) =>
    () => {
      const started = performance.now()
      for (const [program = '', ...args] of lines) {
        const { status } = spawnSync(program, args, { env, stdio: 'ignore' })
        if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`)
      }
      return performance.now() - started
    }
  const node = process.execPath
  return measure({
    title: 'the wrapper around a command that does nothing',
    unit: 'ms',
    rounds,
    contenders: [
      { name: 'node -e 0, then true', role: 'floor', sample: sample([node, '-e', '0'], ['true']) },
      { name: RUN, role: 'ours', sample: sample([node, COMMAND, 'run', '-p', 'triton', '--', 'true']) },
    ],
  })
}

/** Of a wrapper whose worker sleeps, over `seconds`: proc(5), in clock ticks of 10 ms. */
async function restTable(dir: string, seconds: number): Promise<Table> {
  const env = { ...process.env, CACHELATCH_DIR: join(dir, 'rest') }
  const args = [COMMAND, 'run', '-q', '-p', 'triton', '--', 'sh', '-c', 'echo started; exec sleep 3600']
  const wrapper = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(wrapper.stdout, 'data')
  const pid = wrapper.pid!
  const before = cpuMs(pid)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const cpu = (cpuMs(pid) - before) / seconds
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  wrapper.kill()
  await once(wrapper, 'exit')
  return {
    title: `the wrapper at rest, over ${seconds} s`,
    unit: 'see each row',
    rows: [
      summarize('memory (RSS), MB', 'ours', [(Number(kib) * 1024) / 1e6], null),
      summarize('CPU, ms a second', 'ours', [cpu], null),
    ],
  }
}

function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
