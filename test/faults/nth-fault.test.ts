/**
 * For every call that an operation makes to the disk: that call fails, in every way in which it can. The operation goes
 * well all the same, or ends as it says it may (operation.ts); and whatever happened, nothing is lost, nothing hangs,
 * nothing is left, and the next worker gets what it wants.
 *
 * CACHELATCH_FAULTS_TABLE: a file for the table of what was seen.
 */
import '../support/node-fs.js'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { timeBox } from '../support/time-box.js'
import { type Case, casesOf, removeAll, tryCase } from './cases.js'
import { FOUND } from './found.js'
import { OPERATIONS } from './operations.js'
import { Tally } from './tally.js'

const cases: Case[] = []
const tally = new Tally()

beforeAll(async () => {
  for (const operation of OPERATIONS)
    for (const way of ['in thread', 'in pool'] as const) cases.push(...(await casesOf(operation, way)))
})

afterAll(() => {
  removeAll()
  const table = process.env['CACHELATCH_FAULTS_TABLE']
  if (table) writeFileSync(table, tally.asMarkdown())
})

async function tryAll(cases: Iterable<Case>): Promise<void> {
  const wrong: string[] = []
  for (const each of cases)
    await tryCase(each).then(
      (ended) => tally.add(each, ended),
      (problem: unknown) => wrong.push(String(problem)),
    )
  expect(wrong.slice(0, 5).join('\n\n'), `${wrong.length} cases went wrong`).toEqual('')
}

test.each(FOUND)('$operation, where $call fails with $fault (once $was)', async (found) => {
  const meant = cases.filter(
    ({ operation, call, fault }) =>
      operation.name === found.operation && call === found.call && fault.name === found.fault,
  )
  expect(meant).not.toEqual([])
  await tryAll(meant)
})

test('whichever call to the disk fails, however', async () => {
  await tryAll(timeBox(cases, { atLeast: 100 }))
})
