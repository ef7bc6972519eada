import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const COMMAND = join(import.meta.dirname, '../../src/cli/main.js')
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cachelatch-cli-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function cachelatch(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...process.env, CACHELATCH_DIR: root } })
  const ended: Ended = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (ended.stdout += String(text)))
  child.stderr.on('data', (text: Buffer) => (ended.stderr += String(text)))
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...ended, code })))
}

test('eight that ask at once run the command once, and all print the same path', async () => {
  const script = 'sleep 0.5; echo ran >>"$0"; echo noise; echo result >"$CACHELATCH_STAGE/out"'
  const log = join(root, 'count')
  const ended = await Promise.all(
    Array.from({ length: 8 }, () => cachelatch('once', '--key', 'x', '--', 'sh', '-c', script, log)),
  )
  expect(readFileSync(log, 'utf8')).toBe('ran\n')
  const [path] = ended.map(({ stdout }) => stdout)
  expect(ended.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
    ended.map(() => ({ code: 0, stdout: path })),
  )
  expect(readFileSync(join(path!.trim(), 'out'), 'utf8')).toBe('result\n')
})

test('a key of several parts is one key in whatever order', async () => {
  const build = ['--', 'sh', '-c', 'echo 1 >"$1/out"', 'sh', '{stage}']
  const first = await cachelatch('once', '--key', 'a=1', '--key', 'b=2', ...build)
  const second = await cachelatch('once', '--key', 'b=2', '--key', 'a=1', '--', 'false')
  expect(second).toEqual({ code: 0, stdout: first.stdout, stderr: '' })
})

test('a command that fails publishes nothing, and its exit code comes through', async () => {
  const failed = await cachelatch(
    'once',
    '--key',
    'x',
    '--',
    'sh',
    '-c',
    'echo half >"$CACHELATCH_STAGE/out"; exit 7',
  )
  expect(failed).toMatchObject({ code: 7, stdout: '' })
  expect(readdirSync(join(root, 'v1/entries'))).toEqual([])
  expect(readdirSync(join(root, 'v1/stage'))).toEqual([])
})

test.each([
  [64, []],
  [64, ['nonsense']],
  [64, ['once', '--', 'true']],
  [64, ['once', '--key', 'x']],
  [64, ['once', '--key', 'x', '--wait', 'long', '--', 'true']],
  [127, ['once', '--key', 'x', '--', '/no/such/command']],
  [127, ['exec', 'x', '--', '/no/such/command']],
  [126, ['exec', 'x', '--', '/etc/passwd']],
  [143, ['exec', 'x', '--', 'sh', '-c', 'kill -TERM $$']],
  [3, ['exec', 'x', '--', 'sh', '-c', 'exit 3']],
])('exit code %i: cachelatch %j', async (code, args) => {
  const ended = await cachelatch(...args)
  expect(ended).toMatchObject({ code, stdout: '' })
  if (code === 64) expect(ended.stderr).toMatch(/^cachelatch: .+\nTry 'cachelatch (?:once )?--help'\.\n$/)
})

test('a lock that is held makes exec give up with 75, or with what -E says', async () => {
  const inner = `"${process.execPath}" "${COMMAND}" exec x -n`
  const ended = await cachelatch(
    'exec',
    'x',
    '--',
    'sh',
    '-c',
    `${inner} -- true; echo $?; ${inner} -E 9 -- true; echo $?`,
  )
  expect(ended).toMatchObject({ code: 0, stdout: '75\n9\n' })
  expect(ended.stderr).toMatch(/WAIT_TIMEOUT/)
})

test('stdin and stdout of a command under exec are untouched', () => {
  const { stdout } = spawnSync(process.execPath, [COMMAND, 'exec', 'x', '--', 'cat'], {
    input: 'straight through',
    env: { ...process.env, CACHELATCH_DIR: root },
  })
  expect(String(stdout)).toBe('straight through')
})

test('SIGTERM reaches the command, and its exit code is ours', async () => {
  const ready = join(root, 'ready')
  writeFileSync(ready, '')
  const script = 'trap "exit 42" TERM; echo ready; while :; do sleep 0.05; done'
  const child = spawn(process.execPath, [COMMAND, 'exec', 'x', '--', 'sh', '-c', script], {
    env: { ...process.env, CACHELATCH_DIR: root },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.once('data', () => child.kill('SIGTERM'))
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(42)
})
