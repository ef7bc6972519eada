/** Whether the tests notice that a safeguard is missing. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Safeguard, Witness } from './safeguard.js'
import { REPOSITORY, type Workspace } from './workspace.js'

export interface Verdict {
  /** `skipped`: its tests need more than this machine has. `broken`: it could not be taken away, or no test ran. */
  outcome: 'killed' | 'survived' | 'skipped' | 'broken'
  /** Names of the tests that failed, or why it is broken. */
  failed: string[]
}

/** The tests that are named take a few seconds: what takes so long on the busiest machine hangs. */
const TEST_LIMIT_MS = 120_000
const HANGING_TEST_LIMIT_MS = 20_000
/** Of all tests that are named, with nothing taken away. */
const ALL_TESTS_LIMIT_MS = 20 * 60_000

interface Assertion {
  fullName: string
  status: string
  duration?: number | null
  failureMessages: string[] | null
}

interface Report {
  testResults: { name: string; message: string; assertionResults: Assertion[] }[]
}

export async function tryWithout(workspace: Workspace, safeguard: Safeguard): Promise<Verdict> {
  return workspace.without(safeguard, async () => {
    const limitMs = safeguard.hangs ? HANGING_TEST_LIMIT_MS : TEST_LIMIT_MS
    const report = await runTests(workspace, safeguard.killedBy, limitMs)
    const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
    const run = tests.filter(({ fullName }) => safeguard.killedBy.some(({ test }) => fullName.includes(test)))
    const failures = run.filter(({ status }) => status === 'failed')
    const failed = failures.map(({ fullName }) => fullName)
    const hasEnded = failures.some(({ duration }) => (duration ?? 0) < limitMs)
    if (hasEnded || (safeguard.hangs && failed.length > 0)) return { outcome: 'killed', failed }
    if (failed.length > 0) return { outcome: 'broken', failed: [`too slow to tell: ${failed[0]}`] }
    if (run.some(({ status }) => status === 'passed')) return { outcome: 'survived', failed }
    if (run.length > 0) return { outcome: 'skipped', failed }
    throw new Error(
      `${safeguard.name}: no such test ran: ${JSON.stringify(report.testResults).slice(0, 2_000)}`,
    )
  })
}

/** All witnesses, with nothing removed: a test that fails anyway proves nothing. Returns the names of those that do. */
export async function failingAnyway(workspace: Workspace, witnesses: Witness[]): Promise<string[]> {
  const { testResults } = await runTests(workspace, witnesses, ALL_TESTS_LIMIT_MS)
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages?.[0]}`)
}

async function runTests({ path }: Workspace, witnesses: Witness[], limitMs: number): Promise<Report> {
  const files = new Set(witnesses.map(({ file }) => `.build/test/${file}.test.js`))
  const names = new Set(witnesses.map(({ test }) => test.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')))
  const output = join(path, 'report.json')
  rmSync(output, { force: true })
  const options = ['--root', path, '--reporter=json', `--outputFile=${output}`, '--cache=false']
  const limits = [`--testTimeout=${limitMs}`, '-t', [...names].join('|')]
  await runToEnd(path, ['run', ...options, ...limits, ...files], limitMs * 3)
  return JSON.parse(readFileSync(output, 'utf8')) as Report
}

/** Not that of a run of tests in which this may be one. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')))
}

/** With all that it has started: a test that fails in the middle may leave workers behind. */
function runToEnd(cwd: string, args: string[], limitMs: number): Promise<void> {
  const vitest = join(REPOSITORY, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [vitest, ...args], {
    cwd,
    env: ownEnvironment(),
    detached: true,
    stdio: 'ignore',
  })
  const end = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // Nothing is left of it.
    }
  }
  const timer = setTimeout(end, limitMs)
  process.once('exit', end)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      process.off('exit', end)
      end()
      resolve()
    })
  })
}
