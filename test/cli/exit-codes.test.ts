/** Every exit code that docs/cli.md promises, made to happen. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXIT_CODES } from '../../src/cli/usage.js'
import { openCache, withLock } from '../../src/index.js'
import { entryPath } from '../support/caches.js'
import { type Ended, runCommand, useCommands } from '../support/command.js'
import { childrenOf, openBelow } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { put } from '../support/shelf.js'
import { below } from '../support/tree.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const start = useCommands()

interface Case {
  code: number
  /** Which of the promised codes it is; default, the code itself. */
  promise?: string
  args: string[]
  /** Makes the directory what the case is about. */
  given?: (root: string) => unknown
  env?: NodeJS.ProcessEnv
  stderr?: RegExp
}

const CMD_OWN = 'of CMD'
const once = (...rest: string[]): string[] => ['once', '--key', 'x', ...rest]
const sh = (script: string): string[] => ['--', 'sh', '-c', script]
const BUILD = sh('echo >"$CACHELATCH_STAGE/f"')
const withEntry = async (root: string): Promise<void> => {
  await put(await openCache(root, { strict: true }), 'x', 10)
}
const damaged = async (root: string): Promise<void> => {
  await withEntry(root)
  appendFileSync(join(entryPath(root, 'x'), 'files/f'), '!')
}
/** Fails in a place of ours that nothing is expected to fail in. */
const BUG = 'Array.prototype.sort = () => { throw new TypeError("a bug") }'
const BROKEN = `data:text/javascript,${encodeURIComponent(BUG)}`

const CASES: Case[] = [
  { code: 0, args: once(...BUILD) },
  { code: 0, args: ['exec', 'x', '--', 'true'] },
  { code: 0, args: ['verify'], given: withEntry },
  { code: 7, promise: CMD_OWN, args: once(...sh('exit 7')) },
  { code: 7, promise: CMD_OWN, args: ['exec', 'x', ...sh('exit 7')] },
  { code: 1, args: ['verify'], given: damaged },
  { code: 1, args: once(...sh('true')), stderr: /BUILD_INVALID/ },
  { code: 64, args: [], stderr: /^cachelatch: a command is missing/ },
  { code: 64, args: once('--wait', 'long', ...BUILD), stderr: /--wait takes a number of seconds/ },
  { code: 64, args: once(), stderr: /a command is missing/ },
  { code: 64, args: ['nonsense'], stderr: /^cachelatch: there is no command/ },
  { code: 64, args: ['once', ...BUILD], stderr: /a key is missing/ },
  { code: 64, args: once('--key-file', '/no/such/file', ...BUILD), stderr: /--key-file \/no\/such\/file/ },
  { code: 64, args: once('--key-cmd', 'exit 3', ...BUILD), stderr: /its exit code is 3/ },
  { code: 64, args: ['exec', 'x', '-s', '-x', '--', 'true'], stderr: /shared or exclusive/ },
  { code: 66, args: ['ls'], stderr: /NO_CACHE/ },
  {
    code: 69,
    args: once('--strict', ...BUILD),
    given: (root) => writeFileSync(join(root, 'v1'), 'no directory'),
  },
  { code: 70, args: ['ls'], given: withEntry, env: { NODE_OPTIONS: `--import=${BROKEN}` }, stderr: /a bug/ },
  { code: 126, args: ['exec', 'x', '--', '/etc/passwd'], stderr: /\/etc\/passwd: .*cannot be executed/ },
  { code: 126, args: once('--', '/etc/passwd'), stderr: /\/etc\/passwd/ },
  { code: 127, args: ['exec', 'x', '--', '/no/such/cmd'], stderr: /\/no\/such\/cmd: .*no such command/ },
  { code: 127, args: once('--', '/no/such/cmd'), stderr: /\/no\/such\/cmd/ },
  { code: 143, promise: '128 + N', args: ['exec', 'x', ...sh('kill -TERM $$')] },
  { code: 137, promise: '128 + N', args: once(...sh('kill -KILL $$')) },
]

test.each(CASES)('$code: cachelatch $args', async ({ code, args, given, env, stderr }) => {
  const root = scratch()
  await given?.(root)
  const ended = await start(root, args, env).ended
  expect(ended.code, ended.stderr).toBe(code)
  if (code !== 0 && args[0] !== 'verify') expect(ended.stdout).toBe('')
  if (stderr) expect(ended.stderr).toMatch(stderr)
})

/** `nonblock` and the like, while the lock is held by this process. */
const BUSY: [number, string[]][] = [
  [75, ['exec', 'x', '-n', '--', 'true']],
  [75, ['exec', 'x', '--wait', '0.1', '--', 'true']],
  [75, ['exec', 'x', '-s', '-n', '--', 'true']],
  [9, ['exec', 'x', '-n', '-E', '9', '--', 'true']],
]

test.each(BUSY)('%i: cachelatch %j, where the lock is held', async (code, args) => {
  const root = scratch()
  const ended = await withLock(join(root, 'x'), () => runCommand(root, ...args))
  expect(ended).toMatchObject({ code, stdout: '' })
  if (code === 75) expect(ended.stderr).toMatch(/WAIT_TIMEOUT[^]+--wait/)
})

test('75: a strict once, where another one builds', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  let ended: Ended | undefined
  await cache.getOrCompile('x', async ({ dir }) => {
    ended = await runCommand(root, ...once('--strict', '--wait', '0.1', ...BUILD))
    writeFileSync(join(dir, 'f'), '')
  })
  expect(ended).toMatchObject({ code: 75, stdout: '' })
})

test('every code that is promised has its case', () => {
  const shown = new Set([...CASES.map(({ code, promise }) => promise ?? String(code)), '75'])
  expect(Object.keys(EXIT_CODES).filter((code) => !shown.has(code))).toEqual([])
})

describe.each([
  ['exec', ['exec', 'x', '--', 'true']],
  ['once', once(...BUILD)],
] as const)('%s, told to end while it waits', (name, args) => {
  test.each([
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends it at once with %i, without a word, and nothing is left', async (signal, code) => {
    const root = scratch()
    const whileHeld = async (work: () => Promise<void>): Promise<void> => {
      if (name === 'exec') return withLock(join(root, 'x'), work)
      const cache = await openCache(root, { strict: true })
      await (
        await cache.getOrCompile('x', async ({ dir }) => {
          await work()
          writeFileSync(join(dir, 'f'), '')
        })
      ).release()
    }
    await whileHeld(async () => {
      const before = below(root).filter((file) => !file.includes('.owner.json'))
      const command = start(root, [...args])
      const isFlock = (child: { name: string }): boolean => child.name === 'flock'
      await until('it waits', () => childrenOf(command.pid).some(isFlock))
      command.process.kill(signal)
      expect(await command.ended).toMatchObject({ code, stdout: '' })
      expect(below(root).filter((file) => !file.includes('.owner.json'))).toEqual(before)
    })
    expect(openBelow(root).filter((path) => path.includes('/stage/'))).toEqual([])
  })
})
