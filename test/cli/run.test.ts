/** `run`: exit codes, signals, streams, variables, slots as they are printed, and --once. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { runCommand } from '../support/command.js'
import { isAlive } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const COMMAND = join(import.meta.dirname, '../../src/cli/main.js')
const scratch = useScratch()

/** A preset of the user's own: directories below $MINE_DIR are units. */
function ownPreset(): string {
  const path = join(scratch('preset'), 'mine.json')
  writeFileSync(path, JSON.stringify({ name: 'mine', variables: { MINE_DIR: 'mine' }, units: ['mine/*'] }))
  return path
}

const running = new Set<ChildProcess>()
afterEach(async () => {
  for (const child of running) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
    }
  }
  running.clear()
})

interface Running {
  child: ChildProcess
  stdout: () => string
  stderr: () => string
  code: Promise<number | NodeJS.Signals | null>
}

function start(cache: string, args: string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [COMMAND, 'run', ...args], {
    env: { ...process.env, CACHELATCH_DIR: cache, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const texts = { stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (texts.stdout += String(text)))
  child.stderr.on('data', (text: Buffer) => (texts.stderr += String(text)))
  return {
    child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    code: new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal))),
  }
}

test.each([
  [0, ['true']],
  [3, ['sh', '-c', 'exit 3']],
  [143, ['sh', '-c', 'kill -TERM $$']],
  [137, ['sh', '-c', 'kill -KILL $$']],
  [127, ['/no/such/command']],
  [126, ['/etc/passwd']],
])('exit code %i: %j', async (code, child) => {
  const cache = scratch()
  for (let round = 0; round < 2; round++) {
    const ended = await runCommand(cache, 'run', '-q', '-p', 'jax', '--', ...child)
    expect(ended).toMatchObject({ code, stdout: '' })
  }
})

test.each([
  [],
  ['--', 'true'],
  ['-p', 'jax'],
  ['-p', 'jax', '--'],
  ['-p', 'nonsense', '--', 'true'],
  ['-p', 'jax,', '--', 'true'],
  ['-p', '/no/such/preset.json', '--', 'true'],
  ['-p', 'jax', '--slots', '0', '--', 'true'],
  ['-p', 'jax', '--slots', 'many', '--', 'true'],
  ['-p', 'jax', '--settle', '5', '--', 'true'],
  ['-p', 'jax', '--settle=-5s', '--', 'true'],
  ['-p', 'jax', '--wait', 'long', '--', 'true'],
  ['-p', 'jax', 'stray', '--', 'true'],
  ['-p', 'jax', '--no-such-option', '--', 'true'],
])('exit code 64, and nothing is run: run %j %j %j %j %j %j', async (...args) => {
  const cache = scratch()
  const given = args.map((arg) => (arg === 'true' ? `${cache}/ran` : arg))
  writeFileSync(`${cache}/ran`, '#!/bin/sh\necho ran\n', { mode: 0o755 })
  const ended = await runCommand(cache, 'run', ...given.filter((arg) => arg !== undefined))
  expect(ended).toMatchObject({ code: 64, stdout: '' })
  expect(ended.stderr).toMatch(/^cachelatch: /)
  expect(readdirSync(cache)).toEqual(['ran'])
})

test('stdin, stdout and stderr are the command’s own', () => {
  const child = spawnSync(
    process.execPath,
    [COMMAND, 'run', '-q', '-p', 'jax', '--', 'sh', '-c', 'cat; echo bad >&2'],
    {
      input: 'straight\0through',
      env: { ...process.env, CACHELATCH_DIR: scratch() },
    },
  )
  expect(String(child.stdout)).toBe('straight\0through')
  expect(String(child.stderr)).toBe('bad\n')
})

test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)(
  '%s reaches the command, and its exit code is ours',
  async (signal) => {
    const script = `trap "exit 42" ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`
    const worker = start(scratch(), ['-p', 'jax', '--', 'sh', '-c', script])
    await until('it is ready', () => worker.stdout() !== '')
    worker.child.kill(signal)
    expect(await worker.code).toBe(42)
  },
)

test('what one leaves, the next one has; the slot is named, unless --quiet', async () => {
  const [cache, preset] = [scratch(), ownPreset()]
  const script = 'ls "$MINE_DIR"; mkdir -p "$MINE_DIR/unit"; echo x >"$MINE_DIR/unit/k"; echo "$MINE_DIR"'
  const args = ['run', '-p', preset, '--', 'sh', '-c', script]
  const first = await runCommand(cache, ...args)
  expect(first).toMatchObject({
    code: 0,
    stderr: 'cachelatch: slot 0: 0 units of the snapshot, 0 files copied.\n',
  })
  const second = await runCommand(cache, ...args)
  expect(second).toEqual({
    code: 0,
    stdout: `unit\n${first.stdout}`,
    stderr: 'cachelatch: slot 0: 1 units of the snapshot, 0 files copied.\n',
  })
  const other = await runCommand(cache, 'run', '-q', '--key', 'image-2', ...args.slice(1))
  expect(other).toMatchObject({ code: 0, stderr: '' })
  expect(other.stdout.startsWith('unit')).toBe(false)
})

test('a variable that is set is left alone, and named', async () => {
  const mine = scratch('mine')
  const place = { cache: scratch(), env: { MINE_DIR: mine } }
  const ended = await runCommand(place, 'run', '-q', '-p', ownPreset(), '--', 'sh', '-c', 'echo $MINE_DIR')
  expect(ended).toMatchObject({ code: 0, stdout: `${mine}\n` })
  expect(ended.stderr).toMatch(/^cachelatch: left as set: MINE_DIR\..*\n$/)
})

test('with --slots, who finds all leased gets a private directory, and one line', async () => {
  const [cache, preset] = [scratch(), ownPreset()]
  const go = join(cache, 'go')
  const script = 'echo ready; until [ -e "$0" ]; do sleep 0.05; done'
  const first = start(cache, ['-q', '--slots', '1', '-p', preset, '--', 'sh', '-c', script, go])
  await until('it is ready', () => first.stdout() !== '')
  const second = await runCommand(
    cache,
    'run',
    '--slots',
    '1',
    '-p',
    preset,
    '--',
    'sh',
    '-c',
    'echo $MINE_DIR; exit 4',
  )
  expect(second.code).toBe(4)
  expect(second.stdout.startsWith(cache)).toBe(false)
  expect(existsSync(second.stdout.trim())).toBe(false)
  expect(second.stderr).toMatch(/^cachelatch: [^\n]*All 1 slots are leased[^\n]*\n$/)
  writeFileSync(go, '')
  expect(await first.code).toBe(0)
})

test('CACHELATCH_DIR names the cache, and --cache wins over it', async () => {
  const [one, two] = [scratch(), scratch()]
  await runCommand(one, 'run', '-p', 'jax', '--cache', two, '--', 'true')
  expect([existsSync(join(one, 'v1')), existsSync(join(two, 'v1'))]).toEqual([false, true])
  await runCommand(one, 'run', '-p', 'jax', '--', 'true')
  expect(existsSync(join(one, 'v1'))).toBe(true)
})

test('a worker that is killed with its wrapper leaves a slot that the next one has whole', async () => {
  const [cache, preset] = [scratch(), ownPreset()]
  await runCommand(
    cache,
    'run',
    '-p',
    preset,
    '--',
    'sh',
    '-c',
    'mkdir "$MINE_DIR/u"; echo whole >"$MINE_DIR/u/k"',
  )
  const script = 'printf ha >"$MINE_DIR/u/k"; echo $$; exec sleep 600'
  const victim = start(cache, ['-p', preset, '--', 'sh', '-c', script])
  await until('it is ready', () => victim.stdout() !== '')
  const pid = Number(victim.stdout())
  victim.child.kill('SIGKILL')
  process.kill(pid, 'SIGKILL')
  await victim.code
  await until('it is gone', () => !isAlive(pid))
  const next = await runCommand(cache, 'run', '-p', preset, '--', 'sh', '-c', 'cat "$MINE_DIR/u/k"')
  expect(next).toMatchObject({ code: 0, stdout: 'whole\n' })
  expect(next.stderr).toContain('slot 0: 1 units of the snapshot, 1 files copied')
})

describe('--once', () => {
  /** Says what it finds; compiles where that is nothing; ends when told to. */
  const SCRIPT =
    'ls "$MINE_DIR" | wc -l; [ -e "$MINE_DIR/u" ] || { mkdir "$MINE_DIR/u"; echo $$ >"$MINE_DIR/u/k"; }; until [ -e "$0" ]; do sleep 0.05; done'

  function replica(cache: string, preset: string, go: string, settle = '50ms'): Running {
    return start(cache, ['--once', '--settle', settle, '-p', preset, '--', 'sh', '-c', SCRIPT, go])
  }

  test('replicas wait until the first has published, not until it ends, and all are warm', async () => {
    const [cache, preset] = [scratch(), ownPreset()]
    const go = join(cache, 'go')
    const replicas = Array.from({ length: 4 }, () => replica(cache, preset, go))
    // None of them has ended: who was held back goes on as soon as there is something to be had.
    await until('all run', () => replicas.every(({ stdout }) => stdout() !== ''))
    expect(replicas.map(({ stdout }) => stdout().trim()).sort()).toEqual(['0', '1', '1', '1'])
    writeFileSync(go, '')
    expect(await Promise.all(replicas.map(({ code }) => code))).toEqual([0, 0, 0, 0])
  })

  test('who waits says so, and why', async () => {
    const [cache, preset] = [scratch(), ownPreset()]
    const go = join(cache, 'go')
    // It publishes only at its end.
    const first = replica(cache, preset, go, '0s')
    await until('the first runs', () => first.stdout() !== '')
    const second = replica(cache, preset, go)
    await until('the second says that it waits', () => second.stderr().includes('waiting for'))
    expect(second.stderr()).toMatch(/of at most 3600 s \(--wait\)/)
    expect(second.stderr()).toContain(String(first.child.pid))
    expect(second.stdout()).toBe('')
    writeFileSync(go, '')
    expect(await Promise.all([first.code, second.code])).toEqual([0, 0])
    expect(second.stdout().trim()).toBe('1')
  })

  test('a first that is killed is succeeded, and so is one that ends badly', async () => {
    const [cache, preset] = [scratch(), ownPreset()]
    const go = join(cache, 'go')
    const first = replica(cache, preset, go, '0s')
    await until('the first runs', () => first.stdout() !== '')
    const bad = start(cache, ['--once', '-p', preset, '--', 'sh', '-c', 'echo bad; exit 1'])
    first.child.kill('SIGKILL')
    expect(await bad.code).toBe(1)
    expect(bad.stdout()).toBe('bad\n')
    const third = replica(cache, preset, go)
    await until('the third runs', () => third.stdout() !== '')
    expect(third.stdout().trim()).toBe('0')
    writeFileSync(go, '')
    expect(await third.code).toBe(0)
  })

  test('who has waited long enough compiles for itself', async () => {
    const [cache, preset] = [scratch(), ownPreset()]
    const go = join(cache, 'go')
    const first = replica(cache, preset, go, '0s')
    await until('the first runs', () => first.stdout() !== '')
    const ended = await runCommand(
      cache,
      'run',
      '--once',
      '--wait',
      '0',
      '-p',
      preset,
      '--',
      'sh',
      '-c',
      'ls $MINE_DIR | wc -l',
    )
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\s*0\n$/) })
    writeFileSync(go, '')
    expect(await first.code).toBe(0)
  })

  test.each([
    { RANK: '0', WORLD_SIZE: '2' },
    { SLURM_PROCID: '1', SLURM_NTASKS: '2' },
    { OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '2' },
  ])('is refused for a rank of a distributed job: %j', async (env) => {
    const cache = scratch()
    const ended = await runCommand({ cache, env }, 'run', '--once', '-p', 'jax', '--', 'echo', 'ran')
    expect(ended).toMatchObject({ code: 64, stdout: '' })
    expect(ended.stderr).toContain('ONCE_REFUSED')
  })
})

test('ranks have slots of their own, the same ones next time, in whatever order they come', async () => {
  const [cache, preset] = [scratch(), ownPreset()]
  const slotOf = async (rank: number): Promise<string> => {
    const env = { RANK: String(rank), LOCAL_RANK: String(rank), WORLD_SIZE: '4' }
    return (await runCommand({ cache, env }, 'run', '-q', '-p', preset, '--', 'sh', '-c', 'echo $MINE_DIR'))
      .stdout
  }
  const first = await Promise.all([3, 1, 0, 2].map(slotOf))
  expect(new Set(first).size).toBe(4)
  expect(first.map((path) => /\/(\d+)\/mine\n$/.exec(path)?.[1])).toEqual(['003', '001', '000', '002'])
  expect(await Promise.all([3, 1, 0, 2].map(slotOf))).toEqual(first)
})

test('what a worker leaves behind is published by nobody, and its slot is named by nobody', async () => {
  const [cache, preset] = [scratch(), ownPreset()]
  const script =
    'mkdir "$MINE_DIR/u"; printf ha >"$MINE_DIR/u/k"; setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!'
  const ended = await runCommand(cache, 'run', '-q', '-p', preset, '--', 'sh', '-c', script)
  const pid = Number(ended.stdout)
  try {
    expect(ended.code).toBe(0)
    const next = await runCommand(
      cache,
      'run',
      '-q',
      '-p',
      preset,
      '--',
      'sh',
      '-c',
      'echo $MINE_DIR; ls $MINE_DIR',
    )
    expect(next.stdout).toMatch(/\/001\/mine\n$/)
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).toContain('/000/mine')
  } finally {
    process.kill(pid, 'SIGKILL')
  }
})
