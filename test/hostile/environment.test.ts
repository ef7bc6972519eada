/** Every variable that is read, set to nonsense: an error that says which, or what it means without; never a stack. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SETTINGS } from '../../src/host/settings.js'
import { COMMAND } from '../support/command.js'
import { hiddenSettings } from '../support/doctor.js'
import { useScratch } from '../support/scratch.js'
import { timeBox } from '../support/time-box.js'

const scratch = useScratch()

const VARIABLES = [
  ...Object.keys(SETTINGS),
  'HOME',
  'TMPDIR',
  'NO_COLOR',
  'WORLD_SIZE',
  'CACHELATCH_SLOT',
  'CACHELATCH_STAGE',
]

/** `@`: in a directory of the test. */
const NONSENSE = [
  '',
  ' ',
  '\n',
  '-1',
  'NaN',
  '1e999',
  '..',
  'x'.repeat(5_000),
  '\u001B[2J\u202E',
  'kernel ',
  'memory',
  '__proto__',
  '/dev/null',
  '/dev/full',
  '/proc/self/mem',
  '/nowhere/at/all',
  '@file',
  '@fifo',
  '@directory',
  '@file/below',
]

const COMMANDS = [
  ['once', '--key', 'k', '--', 'sh', '-c', 'echo 1 >"$CACHELATCH_STAGE/f"'],
  ['run', '--preset', 'jax', '--once', '--', 'true'],
  ['exec', 'name', '--', 'true'],
  ['status'],
  ['dir'],
]

/** For each core one: what a command waits for is little. */
const AT_ONCE = availableParallelism()

test('a variable of any value is an error that can be read, or nothing', async () => {
  const cases = VARIABLES.flatMap((name) =>
    NONSENSE.flatMap((value) => COMMANDS.map((args) => ({ name, value, args }))),
  )
  // All take their next case from the same list.
  const next = timeBox(cases, { atLeast: 12 })
  const work = async (): Promise<void> => {
    for (const each of next) await tryOne(each)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
})

async function tryOne({ name, value, args }: { name: string; value: string; args: string[] }): Promise<void> {
  const base = scratch()
  try {
    mkdirSync(join(base, 'directory'))
    mkdirSync(join(base, 'work'))
    writeFileSync(join(base, 'file'), '')
    execFileSync('mkfifo', [join(base, 'fifo')])
    const env = {
      ...process.env,
      ...hiddenSettings(),
      HOME: join(base, 'home'),
      CACHELATCH_DIR: join(base, 'cache'),
      [name]: value.replace(/^@/, `${base}/`),
    }
    const { code, stderr } = await ended(args, env, join(base, 'work'))
    const scene = `${name}=${JSON.stringify(value.slice(0, 40))} ${args[0]}: ${stderr}`
    expect(code, scene).not.toBe(70)
    expect(code, scene).not.toBeNull()
    expect(stderr, scene).not.toMatch(/\n\s+at /)
    expect(stderr.replaceAll(/[\n\t]/g, ''), scene).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    if (code !== 0) expect(stderr, scene).toMatch(/^cachelatch: .|warning/im)
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
}

function ended(
  args: string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args], { env, cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => (stderr += String(text)))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })))
}
