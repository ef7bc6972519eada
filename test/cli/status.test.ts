/** status and stats: what people and programs read, once, and going on. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { describeStatus } from '../../src/cli/status-text.js'
import { readableKey } from '../../src/cli/words.js'
import type { StatusReport } from '../../src/core/report.js'
import { openCache } from '../../src/index.js'
import { COMMAND, runCommand } from '../support/command.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { put } from '../support/shelf.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'

const scratch = useScratch()
const start = useWorkers()
const KEY = { model: 'llama', dtype: 'bf16' }
const READABLE = 'dtype=bf16 model=llama'

const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})

interface Watching {
  child: ChildProcess
  /** What it has printed so far. */
  text: () => string
  ended: Promise<number | null>
}

function startWatching(cache: string, program: string, ...args: string[]): Watching {
  const child = spawn(program, args, { env: { ...process.env, CACHELATCH_DIR: cache, TERM: 'xterm' } })
  children.add(child)
  let text = ''
  child.stdout.on('data', (piece: Buffer) => (text += String(piece)))
  child.stderr.on('data', (piece: Buffer) => (text += String(piece)))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, text: () => text, ended }
}

/** A build that goes on until it is told to end. */
async function build(root: string): Promise<{ pid: number; end: () => Promise<unknown> }> {
  const worker = start('latch')
  await worker.ask('open', root, { strict: true })
  const go = join(scratch(), 'go')
  const asked = worker.ask('compile', KEY, { until: go })
  await until('the build has begun', () => worker.noted('building'))
  const end = (): Promise<unknown> => {
    writeFileSync(go, '')
    return asked
  }
  return { pid: worker.pid, end }
}

async function filled(): Promise<string> {
  const cache = await openCache(scratch(), { strict: true })
  await put(cache, 'alpha', 1024)
  return cache.root
}

test('status says who builds what, then that nobody does', async () => {
  const root = await filled()
  const { pid, end } = await build(root)
  const during = await runCommand(root, 'status')
  expect(during).toMatchObject({ code: 0, stderr: '' })
  expect(during.stdout).toMatch(
    new RegExp(
      `^${root}: 1 entry, 1 KB; 0 in use; 1 write under way\nHeld:\n  ${READABLE}  +0:0\\d  building  pid ${pid} on `,
    ),
  )
  const json = await runCommand(root, 'status', '--json')
  expect(json.stdout).toMatch(/^[^\n]+\n$/)
  expect(JSON.parse(json.stdout)).toMatchObject({ schema: 1, root, holders: [{ pid, building: true }] })
  await end()
  const after = await runCommand(root, 'status')
  expect(after.stdout).toMatch(/2 entries, 98\.7 KB; 1 in use\nNobody holds a lock\.\n/)
})

test('--watch without a terminal prints at each change, without escape codes, and Ctrl-C ends it well', async () => {
  const root = await filled()
  const { child, text, ended } = startWatching(root, process.execPath, COMMAND, 'status', '--watch')
  await until('the first is printed', () => text().includes('Nobody holds a lock.'))
  const { end } = await build(root)
  await until('the build is printed', () => text().includes(READABLE))
  await end()
  await until('its end is printed', () => text().split('Nobody holds a lock.').length === 3)
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(text().replaceAll('\n', '')).not.toMatch(/\p{C}/u)
})

test('--watch --json is a line at each change', async () => {
  const root = await filled()
  const { child, text, ended } = startWatching(root, process.execPath, COMMAND, 'status', '--watch', '--json')
  await until('the first is printed', () => text().endsWith('\n'))
  const { pid } = await build(root)
  await until('the build is printed', () => text().includes(`"pid":${pid}`) && text().endsWith('\n'))
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  const reports = text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StatusReport)
  expect(reports[0]).toMatchObject({ holders: [], entries: 1 })
  expect(reports.at(-1)).toMatchObject({ holders: [{ pid }] })
})

test.skipIf(missing('script(1)'))(
  '--watch on a terminal redraws in place, and Ctrl-C brings the cursor back',
  async () => {
    const root = await filled()
    const command = `stty cols 100 rows 30; exec '${process.execPath}' '${COMMAND}' status --watch`
    const { child, text, ended } = startWatching(root, 'script', '-qec', command, '/dev/null')
    await until('the first is drawn', () => text().includes('Nobody holds a lock.'))
    const { end } = await build(root)
    await until('the build is drawn', () => text().includes(READABLE))
    await end()
    const drawn = text().length
    await until('its end is drawn', () => text().slice(drawn).includes('Nobody holds a lock.'))
    child.stdin!.write('\x03')
    expect(await ended).toBe(0)
    const [hidden, erased, shown] = ['\x1b[?25l', '\x1b[', '\x1b[?25h'].map((code) =>
      text().lastIndexOf(code),
    )
    expect(hidden).toBeGreaterThanOrEqual(0)
    expect(erased).toBeGreaterThan(hidden!)
    expect(shown).toBeGreaterThan(hidden!)
  },
)

test('stats adds up what has happened, by key on request', async () => {
  const root = await filled()
  const cache = await openCache(root)
  await (await cache.get('alpha'))!.release()
  await runCommand(root, 'once', '--key', 'alpha', '--', 'false')
  await runCommand(root, 'once', '--key', 'm=x', '--', 'sh', '-c', 'exit 3')
  const total = [
    'hits        1',
    'waited      0, 0:00 in all',
    'compiled    1, 0:00 in all, 1 KB published',
    'private     0',
    'failures    1',
    'hit rate    50.0 %',
    'time saved  0:00',
  ]
  expect(await runCommand(root, 'stats')).toEqual({ code: 0, stdout: `${total.join('\n')}\n`, stderr: '' })
  const { stdout } = await runCommand(root, 'stats', '--by-key', '--since', '1d')
  const [header, ...lines] = stdout.split('\n')
  expect(header).toBe('hits  waited  compiled  private  failures  saved  key')
  expect(lines.slice(0, 2).sort()).toEqual([
    '   0       0         0        0         1   0:00  m=x',
    '   1       0         1        0         0   0:00  alpha',
  ])
  expect(lines.slice(3).join('\n')).toBe(`${total.join('\n')}\n`)
  const json = JSON.parse((await runCommand(root, 'stats', '--json', '--by-key')).stdout) as object
  expect(json).toMatchObject({ schema: 1, since: null, hits: 1, failures: 1, hitRate: 0.5, keys: [{}, {}] })
})

test('where only exec was used, its locks are shown', async () => {
  const root = scratch()
  expect((await runCommand(root, 'status')).code).toBe(66)
  const inner = `'${process.execPath}' '${COMMAND}' status`
  const { stdout } = await runCommand(root, 'exec', 'nightly', '--', 'sh', '-c', inner)
  expect(stdout).toMatch(/^.+\/\.cachelatch: .+\nHeld:\n  nightly  /)
})

test('a cache of which nothing is known yet', async () => {
  const root = scratch()
  await (await openCache(root, { strict: true })).locker()
  expect((await runCommand(root, 'stats')).stdout).toContain('hit rate    no calls yet\n')
})

test.each([
  ['status', 'x'],
  ['stats', 'x'],
  ['stats', '--since', 'yesterday'],
])('exit code 64: %j', async (...args) => {
  expect(await runCommand(await filled(), ...args)).toMatchObject({ code: 64, stdout: '' })
})

describe('as text', () => {
  const process = {
    pid: 7,
    host: 'node7',
    command: 'python serve.py',
    since: 1_000,
    verdict: 'alive',
  } as const
  const nothing = { stages: 0, trash: 0, drafts: 0, records: 0 }
  const report: StatusReport = {
    schema: 1,
    root: '/c',
    at: 134_000,
    holders: [{ ...process, lock: 'nightly', key: null, building: false, others: 2, source: 'kernel' }],
    waiters: [{ ...process, pid: 8, lock: 'a', key: '"k"', deadline: null, verdict: 'unknown' }],
    stages: 0,
    inUse: null,
    leftovers: nothing,
    entries: null,
    units: null,
    bytes: null,
    complete: true,
  }

  test('who holds, since when, and who waits, how long still', () => {
    expect(describeStatus(report)).toBe(
      '/c: \nHeld:\n  nightly  2:13    pid 7 on node7 and 2 others  python serve.py\n' +
        'Waiting:\n  k  2:13  no limit  pid 8 on node7 (cannot be asked)  python serve.py\n',
    )
  })

  test('slots by their names; units beside entries, where there are any', () => {
    const slot = { ...report.holders[0]!, lock: 'slot-0123', key: 'slot 3 of vllm', others: 0 }
    const text = describeStatus({
      ...report,
      holders: [slot],
      waiters: [],
      entries: 2,
      units: 1,
      bytes: 1024,
    })
    expect(text).toBe(
      '/c: 2 entries and 1 unit, 1 KB\nHeld:\n  slot 3 of vllm  2:13    pid 7 on node7  python serve.py\n',
    )
  })

  test('leftovers, and what cannot be seen', () => {
    const leftovers = { stages: 1, trash: 2, drafts: 0, records: 3 }
    const text = describeStatus({ ...report, holders: [], waiters: [], leftovers, complete: false, inUse: 2 })
    expect(text).toBe(
      "/c: 2 in use\nNobody holds a lock.\nLeft by crashes, for 'cachelatch gc': 1 stage, 3 records, 2 removed entries.\n" +
        'Processes of other users or containers cannot be looked into from here.\n',
    )
  })

  test('what others have written does not move the cursor', () => {
    const command = `\x1b[2Jrm\u202e ${'x'.repeat(100)}`
    const holders = [{ ...report.holders[0]!, command, host: '\n', lock: 'a\x07', pid: null }]
    const text = describeStatus({ ...report, holders })
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
    expect(text).toContain('an unknown process')
  })
})

test.each([
  ['"llama"', 'llama'],
  ['{"a":"1","b":2}', 'a=1 b=2'],
  ['"two words"', '"two words"'],
  ['{"a":{"b":1}}', '{"a":{"b":1}}'],
  ['{"a":"x y"}', '{"a":"x y"}'],
  ['{}', '{}'],
  ['[1]', '[1]'],
  ['7', '7'],
  ['{"a":"trunc…', '{"a":"trunc…'],
])('the key %s reads %s', (canonical, text) => expect(readableKey(canonical)).toBe(text))
