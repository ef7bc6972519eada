/**
 * For every call that an operation makes to the disk: that call fails, in every way in which it can. The operation goes
 * well all the same, or ends as it says it may (operation.ts); and whatever happened, nothing is lost, nothing hangs,
 * nothing is left, and the next worker gets what it wants.
 *
 * Three test files, about equal in time, so that all cores have work. CACHELATCH_FAULTS_TABLE: a file to which each adds
 * its table of what was seen.
 */
import '../support/node-fs.js'
import { appendFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BUDGET_MS, timeBox } from '../support/time-box.js'
import { type Case, casesOf, removeAll, tryCase } from './cases.js'
import { FOUND } from './found.js'
import type { Operation } from './operation.js'
import { Tally } from './tally.js'

/** The files share the time of one part. */
const FILES = 3

/** Tries each of `operations`, in this test file. */
export function failEachCallOf(operations: readonly Operation[]): void {
  const cases: Case[] = []
  const tally = new Tally()

  async function tryAll(cases: Iterable<Case>): Promise<void> {
    const wrong: string[] = []
    for (const each of cases)
      await tryCase(each).then(
        (ended) => tally.add(each, ended),
        (problem: unknown) => wrong.push(String(problem)),
      )
    expect(wrong.slice(0, 5).join('\n\n'), `${wrong.length} cases went wrong`).toEqual('')
  }

  beforeAll(async () => {
    for (const operation of operations)
      for (const way of ['in thread', 'in pool'] as const) cases.push(...(await casesOf(operation, way)))
  })

  afterAll(() => {
    removeAll()
    const table = process.env['CACHELATCH_FAULTS_TABLE']
    if (table) appendFileSync(table, tally.asMarkdown())
  })

  const found = FOUND.filter(({ operation }) => operations.some(({ name }) => name === operation))
  test.each(found)('$operation, where $call fails with $fault (once $was)', async (found) => {
    const meant = cases.filter(
      ({ operation, call, fault }) =>
        operation.name === found.operation && call === found.call && fault.name === found.fault,
    )
    expect(meant).not.toEqual([])
    await tryAll(meant)
  })

  test('whichever call to the disk fails, however', async () => {
    await tryAll(timeBox(cases, { atLeast: 30, budgetMs: BUDGET_MS / FILES }))
  })
}
