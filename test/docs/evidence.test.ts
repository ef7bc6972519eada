/** docs/file-systems.md, docs/evidence.md and README's table say what was measured: they are made of it. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pages } from '../../proof/evidence/pages.js'
import { readEvidence } from '../../proof/evidence/results.js'
import { GROUND_NAMES } from '../../proof/file-systems/grounds.js'
import { PROMISED } from '../../proof/file-systems/promises.js'
import { FAULT_NAMES } from '../../proof/table/faults.js'

const evidence = readEvidence()

test('the pages are what `npm run evidence` has made of proof/results/', async () => {
  for (const [file, made] of Object.entries(await pages(evidence)))
    expect(readFileSync(file, 'utf8'), 'run `npm run evidence -- --part pages`').toBe(made)
})

test('every file system is there, with every promise and every fault that there is now', () => {
  for (const name of GROUND_NAMES) {
    const { results = [] } = evidence.fileSystems[name] ?? {}
    expect([name, results.map(({ promise }) => promise)]).toEqual([
      name,
      PROMISED.map(({ promise }) => promise),
    ])
    const ours = evidence.faults[name]?.seen.filter(({ way }) => way === 'cachelatch') ?? []
    expect([name, [...new Set(ours.map(({ fault }) => fault))].sort()]).toEqual([
      name,
      FAULT_NAMES.toSorted(),
    ])
  }
})
