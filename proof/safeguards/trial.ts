/** Whether the tests notice that a safeguard is missing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compiled } from '../trials/compiled.js'
import { type Result, Runner } from '../trials/runner.js'
import { REPOSITORY, Workspace } from '../trials/workspace.js'
import { type Safeguard, type Witness, remove } from './safeguard.js'

export interface Verdict {
  /** `skipped`: its tests need more than this machine has. `broken`: it could not be taken away, or no test ran. */
  outcome: 'killed' | 'survived' | 'skipped' | 'broken'
  /** Names of the tests that failed, or why it is broken. */
  failed: string[]
}

/** The tests that are named take a few seconds: what takes so long on the busiest machine hangs. */
const TEST_LIMIT_MS = 120_000
const HANGING_TEST_LIMIT_MS = 20_000
/** Of a file with all tests in it that are named, with nothing taken away. */
const FILE_LIMIT_MS = 10 * 60_000

/** A copy of the repository in which one safeguard at a time is missing, and the process that runs its tests there. */
export class Bench {
  readonly #workspace = new Workspace()
  readonly #runner = new Runner()

  async tryWithout(safeguard: Safeguard): Promise<Verdict> {
    const text = readFileSync(join(REPOSITORY, 'src', safeguard.file), 'utf8')
    const changed = remove(safeguard, text)
    if (compiled(safeguard.file, changed) === compiled(safeguard.file, text))
      return { outcome: 'broken', failed: ['the compiled code is the same without it'] }
    const limitMs = safeguard.hangs ? HANGING_TEST_LIMIT_MS : TEST_LIMIT_MS
    return this.#workspace.with(safeguard.file, changed, async () =>
      verdictOf(safeguard, await this.#run(safeguard.killedBy, limitMs, limitMs * 3), limitMs),
    )
  }

  /** With nothing taken away. Returns what fails all the same. */
  async failingAnyway(witnesses: Witness[]): Promise<string[]> {
    const { tests, broken } = await this.#run(witnesses, FILE_LIMIT_MS, FILE_LIMIT_MS)
    return [...tests.filter(({ state }) => state === 'fail').map(({ name }) => name), ...broken]
  }

  /** Each time in a new process: what one test has left behind is not to disturb another. */
  async #run(witnesses: Witness[], testLimitMs: number, limitMs: number): Promise<Result> {
    const names = new Set(witnesses.map(({ test }) => test.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')))
    const order = {
      root: this.#workspace.path,
      files: [...new Set(witnesses.map(({ file }) => file))],
      names: [...names].join('|'),
      testLimitMs,
    }
    try {
      return await this.#runner.run(order, limitMs)
    } finally {
      this.#runner.stop()
    }
  }

  remove(): void {
    this.#runner.stop()
    this.#workspace.remove()
  }
}

function verdictOf({ name, killedBy, hangs }: Safeguard, result: Result, limitMs: number): Verdict {
  const run = result.tests.filter((each) => killedBy.some(({ test }) => each.name.includes(test)))
  const failures = run.filter(({ state }) => state === 'fail')
  const failed = failures.map((each) => each.name)
  const hasEnded = failures.some(({ elapsedMs }) => elapsedMs < limitMs)
  if (hasEnded || (hangs && failed.length > 0)) return { outcome: 'killed', failed }
  if (failed.length > 0) return { outcome: 'broken', failed: [`too slow to tell: ${failed[0]}`] }
  if (run.some(({ state }) => state === 'pass')) return { outcome: 'survived', failed }
  if (run.length > 0) return { outcome: 'skipped', failed }
  throw new Error(`${name}: no such test ran: ${result.broken.join('; ') || JSON.stringify(killedBy)}`)
}
