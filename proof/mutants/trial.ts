/** One mistake, made in one file: where it is, and whether a test notices it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compiled } from '../trials/compiled.js'
import { type Result, Runner } from '../trials/runner.js'
import { REPOSITORY, Workspace } from '../trials/workspace.js'
import { type Mutant, mutantsOf } from './mutate.js'
import type { Target } from './targets.js'

export interface Trial {
  target: Target
  mutant: Mutant
  /** The file with the mistake. */
  text: string
  /** Its line, with `«original→replacement»` in place of what was replaced. */
  line: string
}

/** All mistakes in a file but those that JavaScript has no form of, or the same one: they change types, or nothing. */
export function trialsOf(target: Target): Trial[] {
  const name = `${target.file}.ts`
  const text = readFileSync(join(REPOSITORY, 'src', name), 'utf8')
  const before = compiled(name, text)
  return mutantsOf(text)
    .map((mutant) => ({ target, mutant, text: mutated(text, mutant), line: lineOf(text, mutant) }))
    .filter((trial) => ![before, null].includes(compiledOrNull(name, trial.text)))
}

function mutated(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end)
}

function lineOf(text: string, { start, end, original, replacement }: Mutant): string {
  const from = text.lastIndexOf('\n', start) + 1
  const to = text.indexOf('\n', end)
  const change = `«${original}→${replacement}»`
  return (text.slice(from, start) + change + text.slice(end, to)).trim().replaceAll(/\s*\n\s*/g, ' ')
}

function compiledOrNull(name: string, text: string): string | null {
  try {
    return compiled(name, text)
  } catch {
    return null
  }
}

/** What takes a second or two: a mistake may make a loop that never ends, and that is noticed, too. */
const LIMIT_MS = 30_000
/** Each loads all of the product anew, and it stays in memory. */
const RUNS_OF_A_PROCESS = 40

/** A copy of the repository in which one mistake at a time is made, and the process that tries it. */
export class Bench {
  readonly #workspace = new Workspace()
  // The same values each time: a survivor is one that these do not find.
  readonly #runner = new Runner({ CACHELATCH_PROOF_SEED: '1', CACHELATCH_PROOF_SECONDS: '0' })
  #runs = 0

  async notices({ target, text }: Trial): Promise<boolean> {
    return this.#workspace.with(`${target.file}.ts`, text, async () => !(await this.passes(target)))
  }

  async passes(target: Target): Promise<boolean> {
    if (this.#runs++ % RUNS_OF_A_PROCESS === 0) this.#runner.stop()
    const result = await this.#run(target)
    // What is wrong beside its tests may have been left behind by the trial before.
    if (result.broken.length === 0 || result.tests.length === 0) return hasPassed(result)
    this.#runner.stop()
    return hasPassed(await this.#run(target))
  }

  #run({ tests: files }: Target): Promise<Result> {
    const order = { root: this.#workspace.path, files, names: null, testLimitMs: LIMIT_MS }
    return this.#runner.run(order, LIMIT_MS)
  }

  remove(): void {
    this.#runner.stop()
    this.#workspace.remove()
  }
}

function hasPassed({ tests, broken }: Result): boolean {
  return broken.length === 0 && tests.length > 0 && tests.every(({ state }) => state !== 'fail')
}
