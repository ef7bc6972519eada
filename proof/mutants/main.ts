/**
 * `npm run mutate-parsers`: makes every small mistake in the parsers, one at a time, and runs their tests. A mistake that
 * no test notices is printed, and fails the run, unless targets.ts says why it makes no difference.
 *
 *   npm run mutate-parsers -- [FILE…]      only these, such as `core/key`
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import pMap from 'p-map'
import { type Mutant, mutantsOf } from './mutate.js'
import { EQUIVALENT, TARGETS, type Target } from './targets.js'

const BUILD = join(import.meta.dirname, '../..')
const COPIES = join(BUILD, 'mutants')
/** A mistake may make a loop that never ends: that is noticed, too. */
const LIMIT_MS = 120_000

interface Trial {
  target: Target
  mutant: Mutant
}

async function main(files: string[]): Promise<number> {
  const targets = TARGETS.filter(({ file }) => files.length === 0 || files.includes(file))
  const trials = targets.flatMap((target) =>
    mutantsOf(readFileSync(join(BUILD, 'src', `${target.file}.js`), 'utf8')).map((mutant) => ({
      target,
      mutant,
    })),
  )
  const copies = Array.from({ length: availableParallelism() }, (_, index) => makeCopy(index))
  try {
    for (const target of targets)
      if (!(await passes(copies[0]!, target)))
        throw new Error(`The tests of ${target.file} fail as they are.`)
    const survivors: string[] = []
    let explained = 0
    await pMap(
      trials,
      async (trial) => {
        const copy = copies.pop()!
        if (!(await isNoticed(copy, trial))) {
          const [scene, reason] = explain(trial)
          if (reason === undefined) survivors.push(scene)
          else explained++
        }
        copies.push(copy)
      },
      { concurrency: copies.length },
    )
    for (const scene of survivors) console.log(scene)
    console.log(
      `${trials.length} mistakes in ${targets.length} files: ${trials.length - explained - survivors.length} noticed, ` +
        `${explained} make no difference, ${survivors.length} not noticed.`,
    )
    return survivors.length === 0 ? 0 : 1
  } finally {
    rmSync(COPIES, { recursive: true, force: true })
  }
}

/** All that the tests need, with a configuration that finds them there. */
function makeCopy(index: number): string {
  const copy = join(COPIES, String(index))
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy, { recursive: true })
  for (const part of ['src', 'test']) cpSync(join(BUILD, part), join(copy, part), { recursive: true })
  const include = join(copy, 'test/**/*.test.js')
  writeFileSync(
    join(copy, 'vitest.config.mjs'),
    `export default { test: { include: [${JSON.stringify(include)}], exclude: [], maxWorkers: 1, isolate: false } }`,
  )
  return copy
}

async function isNoticed(copy: string, { target, mutant }: Trial): Promise<boolean> {
  const path = join(copy, 'src', `${target.file}.js`)
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end))
  try {
    return !(await passes(copy, target))
  } finally {
    writeFileSync(path, text)
  }
}

function passes(copy: string, { tests }: Target): Promise<boolean> {
  const files = tests.map((name) => join(copy, 'test', `${name}.test.js`))
  const args = ['vitest', 'run', '--config', join(copy, 'vitest.config.mjs'), '--bail', '1', ...files]
  const child = spawn('npx', args, {
    stdio: 'ignore',
    timeout: LIMIT_MS,
    // The same values each time: a survivor is one that these do not find.
    env: { ...process.env, CACHELATCH_PROOF_SEED: '1', CACHELATCH_PROOF_SECONDS: '5' },
  })
  return new Promise((resolve) => child.once('close', (code) => resolve(code === 0)))
}

function explain({ target, mutant }: Trial): [scene: string, reason: string | undefined] {
  const text = readFileSync(join(BUILD, 'src', `${target.file}.js`), 'utf8')
  const from = text.lastIndexOf('\n', mutant.start) + 1
  const to = text.indexOf('\n', mutant.end)
  const change = `«${mutant.original}→${mutant.replacement}»`
  const line = (text.slice(from, mutant.start) + change + text.slice(mutant.end, to)).trim()
  return [`${target.file}:${mutant.line}: ${line}`, EQUIVALENT[target.file]?.[line]]
}

process.exitCode = await main(process.argv.slice(2))
