/** Events of real processes, and what `timeline` makes of them. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import { expect, test } from 'vitest'
import { type EventRecord, MAX_LINE_BYTES, parseEventRecord } from '../../src/core/event-record.js'
import type { TimelineReport } from '../../src/core/report.js'
import { COMMAND, runCommand } from '../support/command.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const LIBRARY = join(import.meta.dirname, '../../src/index.js')

function recordsIn(path: string): EventRecord[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.flatMap((line) => parseEventRecord(line) ?? [])
}

const ofType = <T extends EventRecord['type']>(records: EventRecord[], type: T) =>
  records.filter((record): record is Extract<EventRecord, { type: T }> => record.type === type)

/** Runs a command with CACHELATCH_EVENTS, or whatever `env` says. */
async function run(args: string[], env: NodeJS.ProcessEnv): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => (stderr += String(text)))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })))
}

test('of 8 that compile once, the first killed while it compiles: who compiled, who died, who waited', async () => {
  const [cache, directory] = [scratch(), scratch()]
  const [events, sign] = [join(directory, 'events'), join(directory, 'sign')]
  const build = 'while [ ! -e "$0" ]; do sleep 0.02; done; echo x >"$CACHELATCH_STAGE/x"'
  const once = ['once', '--events', events, '--key', 'x', '--', 'sh', '-c', build, sign]
  const running = Array.from({ length: 8 }, () => runCommand(cache, ...once))
  const seen = () => recordsIn(events)
  await until('one compiles and 7 wait', () => {
    const records = seen()
    const waiters = new Set(ofType(records, 'waiting').map(({ worker }) => worker.token))
    return ofType(records, 'child-started').length === 1 && waiters.size === 7
  })
  const [victim] = ofType(seen(), 'build-started')
  process.kill(victim!.worker.pid, 'SIGKILL')
  await until('another compiles', () => ofType(seen(), 'child-started').length === 2)
  writeFileSync(sign, '')
  const ended = await Promise.all(running)
  expect(ended.filter(({ code }) => code === 0)).toHaveLength(7)

  const { stdout } = await runCommand(cache, 'timeline', events, '--json')
  const { workers, skippedLines } = JSON.parse(stdout) as TimelineReport
  expect(skippedLines).toBe(0)
  const died = workers.filter(({ fate }) => fate === 'died')
  expect(died).toMatchObject([{ pid: victim!.worker.pid, exitCode: null, outcomes: {} }])
  const states = died[0]!.spans.map(({ state }) => state)
  expect(states).toEqual(['starting', 'compiling', 'died'])
  // Nothing was heard of it after its child had started, but the next one waited for it until it was gone.
  const lastOwn = seen().filter(({ worker }) => worker.pid === victim!.worker.pid)
  expect(died[0]!.to).toBeGreaterThan(lastOwn.at(-1)!.at)
  const others = workers.filter(({ fate }) => fate !== 'died')
  expect(others.map(({ outcomes }) => Object.keys(outcomes).join()).sort()).toEqual([
    'compiled',
    ...Array.from({ length: 6 }, () => 'waited'),
  ])
  for (const { spans, fate } of others) {
    expect(fate).toBe('ended')
    expect(spans.map(({ state }) => state)).toContain('waiting')
  }

  const drawn = await runCommand(cache, 'timeline', events)
  expect(drawn.stdout).toMatch(/^8 workers in .*: 1 compiled, 6 waited, 1 died\n/)
  expect(drawn.stdout.split('\n').filter((line) => /█+x/.test(line))).toHaveLength(1)
  // oxlint-disable-next-line no-control-regex -- it is what must not be there
  expect(drawn.stdout).not.toMatch(/\u001b/)
  const { stdout: svg } = await runCommand(cache, 'timeline', events, '--svg')
  expect(tagsOf(svg)).toContain('svg')
  const { stdout: html } = await runCommand(cache, 'timeline', events, '--html')
  expect(tagsOf(html.replace('<!doctype html>', '')).filter((tag) => tag === 'tr')).toHaveLength(9)
  const trace = await runCommand(cache, 'timeline', events, '--trace')
  const { traceEvents } = JSON.parse(trace.stdout) as { traceEvents: { name: string; ph: string }[] }
  const count = (phase: string, name: string): number =>
    traceEvents.filter((event) => event.ph === phase && event.name === name).length
  expect([count('X', 'compiling'), count('X', 'waiting'), count('i', 'did not end')]).toEqual([2, 7, 1])
})

test('exec tells of its lock and its command, and what runs inside it tells its own, under one name', async () => {
  const [cache, directory] = [scratch(), scratch()]
  const events = join(directory, 'events')
  const inner = [process.execPath, COMMAND, 'once', '--key', 'x', '--', 'false']
  const env = { CACHELATCH_DIR: cache, CACHELATCH_WORKER: 'indexer' }
  const outer = [COMMAND, 'exec', 'lock', '--events', events, '--', ...inner]
  expect(await run(outer, env)).toMatchObject({ code: 1 })
  const records = recordsIn(events)
  const [first] = records
  expect(new Set(records.map(({ worker }) => worker.name))).toEqual(new Set(['indexer']))
  const types = (own: boolean): string[] =>
    records.filter(({ worker }) => (worker.token === first!.worker.token) === own).map(({ type }) => type)
  expect(types(true)).toEqual([
    'process-started',
    'locked',
    'child-started',
    'child-ended',
    'unlocked',
    'process-ended',
  ])
  expect(types(false)).toEqual([
    'process-started',
    'build-started',
    'child-started',
    'child-ended',
    'build-failed',
    'process-ended',
  ])
  expect(ofType(records, 'process-ended').map(({ exitCode }) => exitCode)).toEqual([1, 1])
})

test('a worker that uses the library records what it does, and however long its texts are, no line is', async () => {
  const events = join(scratch(), 'events')
  const script = `
    import { writeFileSync } from 'node:fs'
    const { openCache, withLock } = await import(${JSON.stringify(LIBRARY)})
    const [root, key] = [process.argv[1], '\\u0001\\u20ac'.repeat(1000)]
    const cache = await openCache(root)
    const entry = await cache.getOrCompile(key, ({ dir }) => writeFileSync(dir + '/f', 'x'))
    await entry.release()
    await cache.getOrCompile('bad', () => { throw new Error(key) }).catch(() => undefined)
    await withLock(root + '/' + 'p'.repeat(200) + '/' + 'q'.repeat(200), () => undefined)`
  const name = '\u0001'.repeat(500)
  const env = { CACHELATCH_EVENTS: events, CACHELATCH_WORKER: '', RANK: `3${name.replaceAll('\u0001', '"')}` }
  expect(await run(['--input-type=module', '-e', script, scratch()], env)).toEqual({ code: 0, stderr: '' })
  const records = recordsIn(events)
  expect(records.map(({ type }) => type)).toEqual([
    'process-started',
    'build-started',
    'published',
    'obtained',
    'released',
    'build-started',
    'build-failed',
    'locked',
    'unlocked',
    'process-ended',
  ])
  expect(records.map(({ order }) => order)).toEqual(records.map((_, index) => index))
  expect(records[0]!.worker.name).toMatch(/^rank 3"/)
  const lines = readFileSync(events).toString('latin1').split('\n')
  for (const line of lines) expect(line.length).toBeLessThan(MAX_LINE_BYTES)
})

test('a file of events that cannot be written costs one warning', async () => {
  const cache = scratch()
  const build = ['--key', 'x', '--', 'sh', '-c', 'echo x >"$CACHELATCH_STAGE/x"']
  const { code, stdout, stderr } = await runCommand(
    cache,
    'once',
    '--events',
    join(cache, 'no/events'),
    ...build,
  )
  expect(code).toBe(0)
  expect(existsSync(join(stdout.trim(), 'x'))).toBe(true)
  expect(stderr.match(/CACHELATCH_EVENTS/g)).toHaveLength(1)
})

test('nothing is recorded, and no recorder loaded, where nobody asks', async () => {
  const script = `
    const { openCache } = await import(${JSON.stringify(LIBRARY)})
    await openCache(process.argv[1], { strict: true })
    const { subscribe, hasSubscribers } = await import('node:diagnostics_channel')
    process.exitCode = hasSubscribers('cachelatch') ? 1 : 0`
  expect(await run(['--input-type=module', '-e', script, scratch()], {})).toEqual({ code: 0, stderr: '' })
})

test.each([
  [64, [], /a file of events is missing/],
  [64, ['/no/such/file'], /no such file/],
  [64, ['-', '--svg', '--html'], /one of/],
  [64, ['-', '--since', '5'], /--since takes a duration/],
  [1, ['/dev/null'], /There are no events in \/dev\/null/],
])('exit code %i: timeline %j', async (code, args, message) => {
  const ended = await runCommand(scratch(), 'timeline', ...args)
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr).toMatch(message)
})

function tagsOf(document: string): string[] {
  const tags: string[] = []
  const parser = new SaxesParser()
  parser.on('opentag', ({ name }) => tags.push(name))
  parser.on('error', (error) => {
    throw error
  })
  parser.write(document).close()
  return tags
}
