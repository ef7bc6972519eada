/** `once` among many, with kill -9 of the wrapper, of its command, of both: the others finish, nothing partial. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import pMap from 'p-map'
import { expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { Builder, STEPS, type Step } from '../support/builder.js'
import { entryPath, leftoversIn } from '../support/caches.js'
import { readCandidate } from '../support/candidate.js'
import { COMMAND, type Running, useCommands } from '../support/command.js'
import { missing } from '../support/needs.js'
import { childrenOf, isAlive } from '../support/proc.js'
import { seededRandom } from '../support/random.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const start = useCommands()

const waits = ({ pid }: Running): boolean => childrenOf(pid).some(({ name }) => name === 'flock')

async function expectNothingLeft(root: string): Promise<void> {
  const cache = await openCache(root, { strict: true })
  await cache.gc({ graceMs: 0 })
  expect(leftoversIn(root)).toEqual([])
  expect(await cache.verify()).toMatchObject({ damaged: [], strangers: [] })
}

/** All have printed the path of one whole entry, and nothing else. */
async function expectOneResult(root: string, commands: Running[]): Promise<void> {
  const path = join(entryPath(root, 'model'), 'files')
  const ended = await Promise.all(commands.map((command) => command.ended))
  expect(ended.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
    ended.map(() => ({ code: 0, stdout: `${path}\n` })),
  )
  readCandidate(path)
}

test('sixteen shells at a barrier: one runs the command, and all print the same path', async () => {
  const root = scratch('cache')
  const count = join(scratch('count'), 'count')
  const script =
    'echo ready; read -r go; ' +
    `exec "$0" "$1" once --key x -- sh -c 'sleep 1; echo ran >>"$COUNT"; echo result >"$CACHELATCH_STAGE/out"'`
  const shells = Array.from({ length: 16 }, () =>
    spawn('sh', ['-c', script, process.execPath, COMMAND], {
      env: { ...process.env, COUNT: count, CACHELATCH_DIR: root },
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  const outputs = shells.map(linesOf)
  await until('all shells are there', () => outputs.every((lines) => lines().includes('ready')))
  const ended = Promise.all(shells.map((shell) => once(shell, 'close')))
  for (const shell of shells) shell.stdin.end('go\n')
  expect((await ended).map(([code]) => code as number)).toEqual(shells.map(() => 0))

  expect(readFileSync(count, 'utf8')).toBe('ran\n')
  const path = join(entryPath(root, 'x'), 'files')
  expect(outputs.map((lines) => lines())).toEqual(outputs.map(() => ['ready', path]))
  expect(readFileSync(join(path, 'out'), 'utf8')).toBe('result\n')
  await expectNothingLeft(root)
})

function linesOf({ stdout }: ChildProcess): () => string[] {
  let text = ''
  stdout!.on('data', (data: Buffer) => (text += String(data)))
  return () => text.split('\n').slice(0, -1)
}

const VICTIMS = ['the wrapper', 'the command', 'both'] as const
type Victim = (typeof VICTIMS)[number]

function kill(victim: Victim, { pid, parent }: { pid: number; parent: number }): void {
  if (victim !== 'the command') process.kill(parent, 'SIGKILL')
  if (victim !== 'the wrapper' && isAlive(pid)) process.kill(pid, 'SIGKILL')
}

test.skipIf(missing('setpriv --pdeathsig')).each(VICTIMS)(
  'kill -9 of %s at each step of the build: one of those who wait builds, and all get it',
  async (victim) => {
    const killedAt = async (step: Step): Promise<void> => {
      const root = scratch('cache')
      const builder = new Builder(scratch('builder'))
      const first = start(root, builder.args, builder.env({ standAt: step }))
      const stands = await builder.reached(step)
      const others = [1, 2, 3].map(() => start(root, builder.args, builder.env()))
      await until('all others wait', () => others.every(waits))

      kill(victim, stands)
      await expectOneResult(root, others)
      expect(builder.countOf('begun'), step).toBe(2)
      const { code, stdout } = await first.ended
      expect({ code, stdout }, step).toEqual({ code: victim === 'the command' ? 137 : null, stdout: '' })
      await until('the command is gone', () => !isAlive(stands.pid))
      await expectNothingLeft(root)
    }
    await pMap(STEPS, killedAt, { concurrency: 2 })
  },
)

/**
 *   A: runs CMD a, is killed      a: does not listen to SIGTERM, and goes on
 *   B: gets the lock at once, runs CMD b, publishes
 *   gc: must not pull the stage from under a, which lives; nobody publishes what a makes
 */
test('the stage of a command that outlives its wrapper is left alone until the command has ended', async () => {
  const root = scratch('cache')
  const builder = new Builder(scratch('builder'))
  const first = start(root, builder.args, builder.env({ standAt: 'half a file', deaf: true }))
  const { pid, parent } = await builder.reached('half a file')
  process.kill(parent, 'SIGKILL')
  // Not its output: the command has that open still.
  await until('the wrapper is gone', () => first.hasEnded())

  await expectOneResult(root, [start(root, builder.args, builder.env())])
  const cache = await openCache(root, { strict: true })
  await cache.gc({ graceMs: 0 })
  const stages = readdirSync(join(root, 'v1/stage'))
  expect(stages).toHaveLength(1)
  expect(isAlive(pid)).toBe(true)

  builder.release()
  await until('the command is gone', () => !isAlive(pid))
  expect(builder.logged.findLast((each) => each.pid === pid)?.step).toBe('both files')
  expect(readdirSync(join(root, 'v1/stage', stages[0]!, 'files')).sort()).toEqual([
    'kernel.bin',
    'weights.bin',
  ])
  await expectOneResult(root, [start(root, builder.args, builder.env())])
  await expectNothingLeft(root)
})

test('a command that crashes three times in a row is given up; --retry-crashed runs it', async () => {
  const root = scratch('cache')
  const crash = ['once', '--key', 'model', '--', 'sh', '-c', 'kill -SEGV $$']
  for (let round = 1; round <= 3; round++)
    expect(await start(root, crash).ended).toMatchObject({ code: 139, stdout: '' })
  const given = await start(root, crash).ended
  expect(given).toMatchObject({ code: 1, stdout: '' })
  expect(given.stderr).toMatch(/BUILD_CRASHED/)
  const builder = new Builder(scratch('builder'))
  const again = builder.args.toSpliced(1, 0, '--retry-crashed')
  await expectOneResult(root, [start(root, again, builder.env())])
})

test('who waits for a command that fails fails as well; who waits for one that is told to end builds', async () => {
  for (const [signal, code] of [
    ['SIGKILL', 0],
    ['SIGTERM', 0],
    ['SIGINT', 0],
  ] as const) {
    const root = scratch('cache')
    const builder = new Builder(scratch('builder'))
    const first = start(root, builder.args, builder.env({ standAt: 'one file' }))
    const { pid } = await builder.reached('one file')
    const other = start(root, builder.args, builder.env())
    await until('the other waits', () => waits(other))
    process.kill(pid, signal)
    expect((await other.ended).code, signal).toBe(code)
    expect((await first.ended).code).toBe(128 + { SIGKILL: 9, SIGTERM: 15, SIGINT: 2 }[signal])
  }
  const root = scratch('cache')
  const gate = join(scratch('gate'), 'go')
  const args = ['once', '--key', 'x', '--', 'sh', '-c', `touch ${gate}; read -r _ <${gate}.fifo; exit 7`]
  spawnSync('mkfifo', [`${gate}.fifo`])
  const first = start(root, args)
  await until('it builds', () => existsSync(gate))
  const other = start(root, args)
  await until('the other waits', () => waits(other))
  spawn('sh', ['-c', `echo >${gate}.fifo`])
  expect(await first.ended).toMatchObject({ code: 7, stdout: '' })
  const failed = await other.ended
  expect(failed).toMatchObject({ code: 1, stdout: '' })
  expect(failed.stderr).toMatch(/BUILD_FAILED/)
})

const ROUNDS = 5
/** One less than what gives a build up. */
const KILLS = 2

test.skipIf(missing('setpriv --pdeathsig'))(
  'at random moments: whoever is not killed gets the same whole entry, and nothing is left',
  async () => {
    const { random, seed } = seededRandom('CACHELATCH_KILL_SEED')
    for (let round = 1; round <= ROUNDS; round++) {
      const where = `seed ${seed}, round ${round}`
      const root = scratch('cache')
      const builder = new Builder(scratch('builder'))
      const commands = Array.from({ length: 8 }, () => start(root, builder.args, builder.env()))
      const killed = new Set<number>()
      for (let count = 1; count <= KILLS; count++) {
        const victim = VICTIMS[Math.floor(random() * VICTIMS.length)]!
        // Whoever is the first to log so many lines more. With fewer than that, all is built.
        const line = builder.logged.length + Math.floor(random() * STEPS.length)
        const seen = await until('it is built, or there', () =>
          commands.some((command) => command.said.stdout !== '') ? 'built' : (builder.logged[line] ?? false),
        )
        if (seen === 'built') break
        killed.add(seen.parent)
        try {
          kill(victim, seen)
        } catch {
          // It has ended by itself meanwhile.
        }
      }
      await expectOneResult(
        root,
        commands.filter(({ pid }) => !killed.has(pid)),
      )
      for (const command of commands) await command.ended
      for (const { pid } of builder.logged) await until(`${where}: ${pid} is gone`, () => !isAlive(pid))
      await expectNothingLeft(root)
    }
  },
)
