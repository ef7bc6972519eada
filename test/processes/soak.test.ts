/**
 * Wrappers and workers killed at random, eight at a time: no slot is ever used by two living workers, no snapshot has
 * a truncated or a mixed unit, and every restart is warm with what was published before it.
 *
 * CACHELATCH_SOAK_SECONDS: how long (10); CACHELATCH_SOAK_SEED: the number that a failed run has printed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { missing } from '../support/needs.js'
import { startOf } from '../support/proc.js'
import { mulberry32 } from '../support/random.js'
import { useScratch } from '../support/scratch.js'
import { readDescribed, readGroup } from '../support/self-describing.js'
import { until } from '../support/until.js'

const SECONDS = Number(process.env['CACHELATCH_SOAK_SECONDS'] ?? 10)
const SEED = Number(process.env['CACHELATCH_SOAK_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 8
const COMMAND = join(import.meta.dirname, '../../src/cli/main.js')
const WORKER = join(import.meta.dirname, 'workers/soaked.js')
const scratch = useScratch()

const lives: Life[] = []
let witness = ''
afterEach(async () => {
  for (const { wrapper } of lives) wrapper.kill('SIGKILL')
  await Promise.all(lives.map(({ ended }) => ended))
  await until('all workers are gone', killWorkers)
})

interface Life {
  tag: string
  wrapper: ChildProcess
  ended: Promise<void>
  /** What was published before it started. */
  before: string[]
}

interface Report {
  pid: number
  cache: string
  found: string[]
}

test.skipIf(missing('linux'))(`killed at random for ${SECONDS} s, with seed ${SEED}`, async () => {
  process.stderr.write(`soak: ${SECONDS} s, CACHELATCH_SOAK_SEED=${SEED}\n`)
  const random = randomFrom(SEED)
  const root = scratch('cache')
  witness = scratch('witness')
  const preset = join(witness, 'mine.json')
  const units = ['mine/singles/*', 'mine/groups/*']
  writeFileSync(preset, JSON.stringify({ name: 'mine', variables: { MINE_DIR: 'mine' }, units }))

  let said = ''
  const begin = (end: string): Life => {
    const tag = String(lives.length)
    const args = [
      'run',
      '-q',
      '-p',
      preset,
      '--settle',
      '200ms',
      '--',
      process.execPath,
      WORKER,
      witness,
      tag,
      end,
    ]
    const before = publishedIn(root).map(({ unit }) => unit)
    const wrapper = spawn(process.execPath, [COMMAND, ...args], {
      env: { ...process.env, CACHELATCH_DIR: root },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    wrapper.stderr.on('data', (text: Buffer) => (said += String(text)))
    const life = {
      tag,
      wrapper,
      before,
      ended: new Promise<void>((resolve) => wrapper.once('exit', () => resolve())),
    }
    lives.push(life)
    return life
  }
  const reportOf = ({ tag }: Life): Report | null => {
    const path = join(witness, `report-${tag}`)
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : null
  }
  const killWorker = (life: Life): boolean => {
    const report = reportOf(life)
    if (report === null || !isOurs(report.pid)) return false
    process.kill(report.pid, 'SIGKILL')
    return true
  }
  const kills = { wrapper: 0, worker: 0, both: 0, orphan: 0 }
  const orphans: Life[] = []

  const positions = Array.from({ length: AT_ONCE }, () => begin('never'))
  // On a busy machine, until each of these has happened.
  const isEnough = (): boolean =>
    kills.wrapper > 1 &&
    kills.worker > 1 &&
    lives.some((life) => life.before.length > 0 && reportOf(life) !== null)
  for (const stop = performance.now() + SECONDS * 1000; performance.now() < stop || !isEnough();) {
    await sleep(20 + random(250))
    for (const [n, { wrapper }] of positions.entries())
      if (wrapper.exitCode !== null || wrapper.signalCode !== null)
        positions[n] = begin(['never', '0', '0', '1'][random(4)]!)
    const position = random(AT_ONCE)
    const life = positions[position]!
    const fate = random(10)
    // Most live long enough to do something; a few are killed while they start.
    if (reportOf(life) === null && random(8) > 0) continue
    if (fate < 3 && killWorker(life)) kills.worker++
    else if (fate < 6) {
      life.wrapper.kill('SIGKILL')
      orphans.push(life)
      kills.wrapper++
    } else if (fate < 8 && killWorker(life)) {
      life.wrapper.kill('SIGKILL')
      kills.both++
    } else if (fate === 8 && orphans.length > 0) {
      if (killWorker(orphans.splice(random(orphans.length), 1)[0]!)) kills.orphan++
    }
    while (orphans.length > AT_ONCE) killWorker(orphans.shift()!)
  }

  for (const { wrapper } of lives) wrapper.kill('SIGKILL')
  await Promise.all(lives.map(({ ended }) => ended))
  // Whoever was just being started is no exception.
  await until('all workers are gone', killWorkers)

  const complaints = join(witness, 'complaints')
  expect(existsSync(complaints) ? readFileSync(complaints, 'utf8') : '').toBe('')
  expect(said).toBe('')
  const published = publishedIn(root)
  for (const { unit, path } of published) checkUnit(unit, path)
  for (const life of lives) {
    const report = reportOf(life)
    if (report === null) continue
    expect(report.cache.startsWith(root), report.cache).toBe(true)
    expect(new Set(report.found)).toEqual(new Set([...report.found, ...life.before]))
  }
  const last = begin('0')
  await last.ended
  expect(reportOf(last)!.found).toEqual(expect.arrayContaining(last.before))
  expect(readFileSync(join(root, 'v1/format.json'), 'utf8')).toContain('schema')

  const warm = lives.filter((life) => life.before.length > 0 && reportOf(life) !== null).length
  const slots = new Set(lives.map((life) => reportOf(life)?.cache).filter(Boolean)).size
  const newest = new Set(published.map(({ unit }) => unit)).size
  process.stderr.write(
    `soak: ${lives.length} starts, ${warm} of them warm, ${slots} slots; killed: ${JSON.stringify(kills)}; ` +
      `${newest} units published, ${published.length} generations left\n`,
  )
  expect(Math.min(warm, newest)).toBeGreaterThan(0)
})

/** Every entry of every snapshot, as it lies there: read without the library. */
function publishedIn(root: string): { unit: string; path: string }[] {
  const snapshots = join(root, 'v1/snapshots')
  const below = (path: string): string[] => readdirSync(path).map((name) => join(path, name))
  const entries = existsSync(snapshots) ? below(snapshots).flatMap(below).flatMap(below) : []
  return entries.flatMap((entry) => {
    try {
      const { body } = JSON.parse(readFileSync(join(entry, 'MANIFEST.json'), 'utf8')) as {
        body: { key: string }
      }
      const { unit } = JSON.parse(body.key) as { unit: string }
      return [{ unit: unit.split('/').at(-1)!, path: join(entry, 'files', unit) }]
    } catch (error) {
      // Replaced by its next generation while we looked.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  })
}

/** @throws when it is truncated or mixed */
function checkUnit(unit: string, path: string): void {
  if (unit.startsWith('single-')) readDescribed(path, unit)
  else if (readGroup(path, unit) === null) throw new Error(`${path} is empty`)
}

/** `true` when none is left. */
function killWorkers(): boolean {
  const left = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isOurs(pid, witness))
  for (const pid of left) process.kill(pid, 'SIGKILL')
  return left.length === 0
}

/** Not a process that has got the pid of one of ours. */
function isOurs(pid: number, witness = WORKER): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(witness) && startOf(pid) !== null
  } catch {
    return false
  }
}

/** Whole numbers below `limit`. */
function randomFrom(seed: number): (limit: number) => number {
  const random = mulberry32(seed)
  return (limit) => Math.floor(random() * limit)
}
