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

test('of every file system that can be made, every promise and every fault that there is now', () => {
  const { fileSystems, faults } = evidence
  const promises = PROMISED.map(({ promise }) => promise)
  expect(Object.keys(fileSystems).sort()).toEqual(GROUND_NAMES.toSorted())
  for (const [name, { results }] of Object.entries(fileSystems))
    expect([name, results.map(({ promise }) => promise)]).toEqual([name, promises])
  expect(Object.keys(faults).sort()).toEqual(GROUND_NAMES.toSorted())
  for (const [name, { seen }] of Object.entries(faults)) {
    const ours = seen.filter(({ way }) => way === 'cachelatch')
    expect([name, [...new Set(ours.map(({ fault }) => fault))].sort()]).toEqual([
      name,
      FAULT_NAMES.toSorted(),
    ])
  }
})
