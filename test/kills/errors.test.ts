/**
 * The real command line, with a system call of the real kernel failing: `once` and `run` go on, without the cache if
 * need be, and then say so and why; `once --strict` exits with 69. Nothing partial is published, and whoever comes
 * next has no trouble.
 *
 * Only calls that Node does not make by itself: a write that fails would mostly be one to a pipe of Node's own.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pMap from 'p-map'
import { afterEach, expect, test } from 'vitest'
import { openCache, prepareWorker } from '../../src/index.js'
import { checkCache, checkDirectory } from '../support/checker.js'
import { COMMAND, type Ended } from '../support/command.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { described } from '../support/self-describing.js'
import { timeBox } from '../support/time-box.js'

const AT_ONCE = 2
/** What a file system says that is full, broken, forbids, has somebody else in it, or whose server is gone. */
const ERRORS: Record<string, string[]> = {
  mkdir: ['ENOSPC', 'EACCES', 'ENOTCONN'],
  rename: ['ENOSPC', 'EIO', 'EBUSY'],
  fsync: ['EIO', 'ENOSPC'],
  flock: ['ENOLCK', 'ENOSYS'],
  unlink: ['EBUSY', 'EIO'],
  rmdir: ['EBUSY'],
  copy_file_range: ['EIO', 'ENOSPC'],
  utimensat: ['EPERM'],
  fchmod: ['EPERM'],
}
const CALLS = Object.keys(ERRORS)
/** And the work is done all the same. */
const MAY_ALL_FAIL = new Set(['flock', 'rmdir'])
/**
 * koffi's own, of stderr, at the exit of the main thread, after we have tried it (host/native.ts): that a pipe fails
 * there, of which there is nothing to be synced, is nothing that happens, and koffi would wait for itself.
 */
const SYNC_OF_STDERR = '3'

/** These make none of the calls. */
const TO_STAGE = ['--', 'sh', '-c', 'dd status=none if="$RESULT" of="$CACHELATCH_STAGE/result"']
const TO_SLOT = ['--', 'sh', '-c', 'dd status=none if="$RESULT" of="${MINE_DIR:-$TMPDIR}/made"']
const COMMANDS = {
  once: ['once', '--key', 'x', ...TO_STAGE],
  'once --strict': ['once', '--strict', '--key', 'x', ...TO_STAGE],
  run: ['run', '--preset', 'mine.json', '--settle', '0s', ...TO_SLOT],
}
type Command = keyof typeof COMMANDS

const PRESET = {
  name: 'mine',
  about: 'no program has it',
  variables: { MINE_DIR: 'mine' },
  units: ['mine/*'],
}

interface Case {
  command: Command
  call: string
  /** Which of them fails, as strace has it: `2`, or `1+` for all. */
  when: string
  error: string
}

const scratch = useScratch()
const running = new Set<ChildProcess>()
afterEach(() => {
  for (const { pid } of running) process.kill(-pid!, 'SIGKILL')
})

/** A cache with a snapshot, and a slot whose last worker ended badly: so the next one is seeded. */
async function setScene(command: Command): Promise<{ home: string; root: string }> {
  const home = scratch()
  const root = join(home, 'cache')
  for (const name of ['tmp', 'cache']) mkdirSync(join(home, name))
  writeFileSync(join(home, 'mine.json'), JSON.stringify(PRESET))
  const unit = command === 'run' ? 'mine/made' : 'entry'
  writeFileSync(join(home, 'result'), described({ unit, id: 'result' }, Buffer.alloc(3_000, 'r')))
  for (const exitCode of [0, 1]) {
    const worker = await prepareWorker({
      cache: root,
      presets: [{ ...PRESET, checked: 'never' }],
      settleMs: 0,
      env: {},
    })
    const before = described({ unit: 'mine/before', id: 'before' }, Buffer.alloc(9))
    writeFileSync(join(worker.path!, 'mine/before'), before)
    await worker.ended(exitCode)
  }
  return { home, root }
}

/** Also children, and threads: each counts its calls for itself. One thread in the pool, so that it counts all. */
function runUnder(strace: string[], command: Command, home: string): Promise<Ended> {
  const args = ['-f', '-qq', '-o', join(home, 'strace.log'), ...strace, process.execPath, COMMAND]
  const child = spawn('strace', [...args, ...COMMANDS[command]], {
    cwd: home,
    env: {
      ...process.env,
      CACHELATCH_DIR: join(home, 'cache'),
      RESULT: join(home, 'result'),
      TMPDIR: join(home, 'tmp'),
      UV_THREADPOOL_SIZE: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  running.add(child)
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (said.stdout += String(text)))
  child.stderr.on('data', (text: Buffer) => (said.stderr += String(text)))
  return new Promise((resolve) =>
    child.once('close', (code) => {
      running.delete(child)
      resolve({ ...said, code })
    }),
  )
}

/** As many of each call as one thread makes. */
async function casesOf(command: Command): Promise<Case[]> {
  const { home } = await setScene(command)
  const { code, stderr } = await runUnder(['-e', `trace=${CALLS.join(',')}`], command, home)
  expect(code, stderr).toBe(0)
  const counts = new Map<string, number>()
  for (const [, made] of readFileSync(join(home, 'strace.log'), 'utf8').matchAll(/^(\d+ +\w+)\(/gm))
    counts.set(made!, (counts.get(made!) ?? 0) + 1)
  return CALLS.flatMap((call) => {
    const ofCall = [...counts].filter(([made]) => made.endsWith(` ${call}`)).map(([, count]) => count)
    const each = Array.from({ length: Math.max(0, ...ofCall) }, (_, index) => String(index + 1))
    const all = MAY_ALL_FAIL.has(call) ? ['1+'] : []
    const whens = [...each, ...all].filter((when) => call !== 'fsync' || when !== SYNC_OF_STDERR)
    return whens.flatMap((when) => ERRORS[call]!.map((error) => ({ command, call, when, error })))
  })
}

async function tryCase({ command, call, when, error }: Case): Promise<void> {
  const { home, root } = await setScene(command)
  const inject = `inject=${call}:error=${error}:when=${when}`
  const ended = await runUnder(['-e', `trace=${call}`, '-e', inject], command, home)
  const where = `cachelatch ${command}, ${inject}: ${JSON.stringify(ended)}`
  expect(
    linesOf(ended).filter((line) => !OURS.test(line)),
    where,
  ).toEqual([])
  if (command !== 'run' && ended.code === 0) expectResult(ended, error, root, where)
  else expect(ended, where).toMatchObject({ stdout: '', code: command === 'run' ? 0 : 69 })
  // Main thread and pool count for themselves: the call may have failed once more, where a private result was to be.
  const isRefusal = command === 'once --strict' || ended.stderr.includes(' privately failed with ')
  if (ended.code === 69) expect([isRefusal, ended.stderr], where).toEqual([true, REFUSAL])
  checkCache(root)
  await expectNoTroubleNext(home, root, where)
}

/** What it says is one of our sentences, never a stack. */
const OURS = /^(cachelatch: |  hint: |\(node:\d+\) \[CACHELATCH_[A-Z_]+\]|\(Use `node --trace-warnings)/
/** koffi brings stdout to the device as well, at the end; it is no file here. */
const NOT_OURS = /^Error: Failed to sync '<stdout>'/
/** Not always the first line: that there is no cache was told before there was no private directory either. */
const REFUSAL: unknown = expect.stringMatching(/^cachelatch: .* \[[A-Z_]+\]\n  hint: /m)

function linesOf({ stderr }: Ended): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !NOT_OURS.test(line))
}

/** The result is whole; where it is not in the cache, the reason has been told. */
function expectResult({ stdout, stderr }: Ended, error: string, root: string, where: string): void {
  const path = stdout.trimEnd()
  expect(checkDirectory(path), where).toBe('result')
  if (!path.startsWith(root)) expect(stderr, where).toContain(error)
}

async function expectNoTroubleNext(home: string, root: string, where: string): Promise<void> {
  const cache = await openCache(root, { strict: true })
  await using entry = await cache.getOrCompile('y', ({ dir }) =>
    copyFileSync(join(home, 'result'), join(dir, 'result')),
  )
  expect(entry.outcome, where).toBe('compiled')
}

test.skipIf(missing('linux', 'strace'))(
  'whichever call of `once` and `run` fails, and how: the work is done, or refused for a reason that is told',
  async () => {
    const commands = Object.keys(COMMANDS) as Command[]
    const cases = (await pMap(commands, casesOf, { concurrency: AT_ONCE })).flat()
    await pMap(timeBox(cases), tryCase, { concurrency: AT_ONCE })
  },
)
