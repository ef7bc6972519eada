/** Records of those who wait: written by anybody, and left behind by the killed. */
import { expect, test } from 'vitest'
import { isOver, parseWaiter } from '../../src/core/waiter.js'
import { SOME_OWNER } from '../support/some-owner.js'

const owner = { ...SOME_OWNER, command: 'serve', since: 1_000 }
const seenFrom = (bootId: string, startTime: string | null) => ({
  bootId,
  pidNamespace: 'pid:[1]',
  startTimeOf: () => startTime,
})
const here = seenFrom('boot', '500')
const elsewhere = seenFrom('another', null)

test.each<[unknown]>([
  [null],
  [undefined],
  ['text'],
  [{ owner: null, label: null, deadline: null }],
  [{ owner, label: null, deadline: '9' }],
  [{ owner, label: null }],
])('%j is nobody who waits', (value) => expect(parseWaiter(value)).toBeNull())

test('a waiter says what for only in words', () => {
  expect(parseWaiter({ owner, label: 7, deadline: 9 })).toEqual({ owner, label: null, deadline: 9 })
  expect(parseWaiter({ owner, label: 'k', deadline: null })).toEqual({ owner, label: 'k', deadline: null })
})

test('where it can be seen, a wait is over exactly when its process is gone, whatever the clock says', () => {
  const waiter = { owner, label: null, deadline: 0 }
  expect(isOver(waiter, here, 1e15)).toBe(false)
  expect(isOver({ ...waiter, deadline: 1e15 }, seenFrom('boot', null), 0)).toBe(true)
})

test('from another host, it is over after its deadline', () => {
  const waiter = { owner, label: null, deadline: 5_000 }
  expect(isOver(waiter, elsewhere, 5_000)).toBe(false)
  expect(isOver(waiter, elsewhere, 5_001)).toBe(true)
})

test('from another host, one without a limit is shown for a week', () => {
  const waiter = { owner, label: null, deadline: null }
  const week = 604_800_000
  expect(isOver(waiter, elsewhere, owner.since + week)).toBe(false)
  expect(isOver(waiter, elsewhere, owner.since + week + 1)).toBe(true)
})
