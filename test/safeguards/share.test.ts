/** A share of the safeguards is taken away in every run of all tests; `npm run safeguards`, and with it the proof, takes away all. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { afterAll, expect, test } from 'vitest'
import { SAFEGUARDS } from '../../proof/safeguards/all.js'
import { SAFEGUARDS_PAGE, safeguardsPage } from '../../proof/safeguards/page.js'
import { remove } from '../../proof/safeguards/safeguard.js'
import { Bench } from '../../proof/safeguards/trial.js'
import { REPOSITORY } from '../../proof/trials/workspace.js'
import { BUDGET_MS, timeBox } from '../support/time-box.js'

/** Also where all is tried: that is a part of the proof by itself. */
const SHARE_MS = 10_000

let bench: Bench | undefined
afterAll(() => bench?.remove())

test('the code of every safeguard stands in the product, exactly once, and its tests are there', () => {
  for (const safeguard of SAFEGUARDS) {
    const text = readFileSync(join(REPOSITORY, 'src', safeguard.file), 'utf8')
    expect(remove(safeguard, text)).not.toBe(text)
    for (const { file } of safeguard.killedBy)
      expect(existsSync(join(REPOSITORY, 'test', `${file}.test.ts`)), file).toBe(true)
  }
})

test('no two safeguards have one name, and docs/safeguards.md is made from them', async () => {
  expect(new Set(SAFEGUARDS.map(({ name }) => name)).size).toBe(SAFEGUARDS.length)
  const style = { ...(await resolveConfig(SAFEGUARDS_PAGE)), parser: 'markdown' }
  expect(readFileSync(SAFEGUARDS_PAGE, 'utf8'), 'run `npm run safeguards`').toBe(
    await format(safeguardsPage(), style),
  )
})

test('without any of a share of the safeguards, a test fails', async () => {
  bench = new Bench()
  for (const safeguard of timeBox(SAFEGUARDS, { budgetMs: Math.min(BUDGET_MS, SHARE_MS) })) {
    const { outcome, failed } = await bench.tryWithout(safeguard)
    expect({ [safeguard.name]: outcome, failed }).not.toMatchObject({ [safeguard.name]: 'survived' })
  }
})
