import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../support/until.js'

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

test('with -s, several run at once; one without it waits for all of them', async () => {
  const go = join(root, 'go')
  const waitForGo = `while [ ! -e "${go}" ]; do sleep 0.05; done`
  const sharers = [1, 2, 3].map((n) =>
    cachelatch('exec', 'x', '--shared', '--', 'sh', '-c', `touch "${root}/in-${n}"; ${waitForGo}`),
  )
  await until('all three are inside', () => [1, 2, 3].every((n) => existsSync(join(root, `in-${n}`))))
  expect(await cachelatch('exec', 'x', '-n', '--', 'true')).toMatchObject({ code: 75 })
  expect(await cachelatch('exec', 'x', '-x', '-n', '--', 'true')).toMatchObject({ code: 75 })
  expect(await cachelatch('exec', 'x', '-sn', '--', 'true')).toMatchObject({ code: 0 })
  writeFileSync(go, '')
  expect((await Promise.all(sharers)).map(({ code }) => code)).toEqual([0, 0, 0])
  expect(await cachelatch('exec', 'x', '-n', '--', 'true')).toMatchObject({ code: 0 })
})
