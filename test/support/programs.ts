/** The real programs whose caches are kept: installed by scripts/install-programs.sh, outside of the repository. */
import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { COMMAND } from './command.js'

const INSTALLED = process.env['CACHELATCH_TEST_PROGRAMS'] ?? join(homedir(), '.cache/cachelatch-programs')
const WORKERS = join(import.meta.dirname, '../../../test/programs')

/** The Python of a virtual environment, by the name of the environment. */
export const pythonOf = (environment: string): string => join(INSTALLED, environment, 'bin/python')
export const NODE_24 = join(INSTALLED, 'node-24/node_modules/node/bin/node')
export const worker = (name: string): string => join(WORKERS, name)

/** The line that every program of test/programs prints, and what its process said besides. */
export interface WorkerReport {
  cacheDir: string
  hits: number
  misses: number
  errors: string[]
  checksum: string
  exitCode: number | null
  stderr: string
}

/** As many at once as there are, each through `cachelatch run`. */
export async function runInSlots(
  cache: string,
  preset: string,
  count: number,
  command: readonly string[],
): Promise<WorkerReport[]> {
  const args = [COMMAND, 'run', '--cache', cache, '--preset', preset, '--quiet', '--', ...command]
  return Promise.all(Array.from({ length: count }, () => runProgram([process.execPath, ...args])))
}

/** By itself, as without us. */
export function runProgram(
  [program, ...args]: readonly string[],
  env: Record<string, string> = {},
): Promise<WorkerReport> {
  const child = spawn(program!, args, {
    env: { ...process.env, ...SETTINGS, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => (stdout += String(text)))
  child.stderr.on('data', (text: Buffer) => (stderr += String(text)))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => {
      const line = stdout.split('\n').find((each) => each.startsWith('{'))
      const report = JSON.parse(line ?? '{"errors":["no report"]}') as WorkerReport
      resolve({ ...report, exitCode, stderr })
    })
  })
}

/** A program that prints a line of JSON by itself, and another for each line that it is given; it ends with its stdin. */
export interface Conversation<T> {
  answer: () => Promise<T>
  say: (line: string) => void
  /** Resolves to its exit code. */
  end: () => Promise<number | null>
  ended: Promise<number | null>
  kill: () => void
}

export function converse<T>(
  [program, ...args]: readonly string[],
  env: Record<string, string>,
): Conversation<T> {
  const child = spawn(program!, args, {
    env: { ...process.env, ...SETTINGS, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => (stderr += String(text)))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return {
    async answer() {
      for (;;) {
        const { value, done } = await lines.next()
        if (done === true) throw new Error(`${args.join(' ')} ended without an answer: ${stderr}`)
        if (/^[[{]/.test(value)) return JSON.parse(value) as T
      }
    },
    say: (line) => void child.stdin.write(`${line}\n`),
    end() {
      child.stdin.end()
      return ended
    },
    ended,
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Programs as small as ours compile in less than JAX's second, below which it caches nothing. */
const SETTINGS = { JAX_PLATFORMS: 'cpu', JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS: '0' }
