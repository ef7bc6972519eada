/** A share of the mistakes is made in every run of all tests; `npm run mutate-parsers`, and with it the proof, makes all. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { mutantsOf } from '../../proof/mutants/mutate.js'
import { EQUIVALENT, TARGETS } from '../../proof/mutants/targets.js'
import { Bench, trialsOf } from '../../proof/mutants/trial.js'
import { REPOSITORY } from '../../proof/trials/workspace.js'
import { BUDGET_MS, timeBox } from '../support/time-box.js'

/** Also where all is tried: that is a part of the proof by itself. */
const SHARE_MS = 10_000

let bench: Bench | undefined
afterAll(() => bench?.remove())

test('mistakes are made in what runs, and not in its types', () => {
  const changes = (text: string): string[] =>
    mutantsOf(text).map(({ start, end, replacement }) => text.slice(0, start) + replacement + text.slice(end))
  expect(changes('type T = { a: 1 | true }\nconst ok = (a as 7) < b!\n')).toEqual([
    'type T = { a: 1 | true }\nconst ok = (a as 7) <= b!\n',
    'type T = { a: 1 | true }\nconst ok = (a as 7) > b!\n',
  ])
  expect(changes('if (/^a+$/.test(x)) throw x')).toEqual([
    'if (true) throw x',
    'if (false) throw x',
    'if (/a+$/.test(x)) throw x',
    'if (/^a+/.test(x)) throw x',
    'if (/^a*$/.test(x)) throw x',
    'if (/^a+$/.test(x)) ;',
  ])
})

test('every file, every test of it and every line that is said to make no difference is there', () => {
  for (const target of TARGETS) {
    for (const name of target.tests)
      expect(existsSync(join(REPOSITORY, 'test', `${name}.test.ts`)), name).toBe(true)
    const lines = new Set(trialsOf(target).map(({ line }) => line))
    for (const line of Object.keys(EQUIVALENT[target.file] ?? {})) expect(lines).toContain(line)
  }
})

test('of a share of the mistakes, each is noticed', async () => {
  bench = new Bench()
  const trials = TARGETS.flatMap(trialsOf).filter(
    ({ target, line }) => EQUIVALENT[target.file]?.[line] === undefined,
  )
  for (const trial of timeBox(trials, { budgetMs: Math.min(BUDGET_MS, SHARE_MS) }))
    expect({ [trial.line]: await bench.notices(trial) }).toEqual({ [trial.line]: true })
})
