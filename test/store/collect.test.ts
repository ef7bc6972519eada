import { expect, test } from 'vitest'
import { type Candidate, plan } from '../../src/store/collect.js'

const NOW = 1_000_000
const DAY = 24 * 60 * 60 * 1000

/** `a`, `b` … of 10 bytes each, used so many milliseconds ago. */
function used(...ages: number[]): Candidate[] {
  return ages.map((age, index) => ({ id: 'abcdefgh'[index]!, bytes: 10, usedAt: NOW - age }))
}

function planned(items: Candidate[], limits: Partial<Parameters<typeof plan>[1]>): string {
  const { remove, instead } = plan(items, { graceMs: 0, now: NOW, ...limits })
  const text = (list: typeof remove): string => list.map(({ id, why }) => `${id}:${why}`).join(' ')
  return instead.length === 0 ? text(remove) : `${text(remove)} | ${text(instead)}`
}

test('without a limit everything stays', () => {
  expect(planned(used(5, DAY * 1000), {})).toBe(' | b:size a:size')
})

test('what was not used for longer than the limit goes, the oldest first', () => {
  expect(planned(used(99, 300, 100, 101), { maxAgeMs: 100 })).toBe('b:age d:age | c:size a:size')
})

test('as few as are needed for the size go, least recently used first', () => {
  expect(planned(used(1, 4, 2, 3), { maxBytes: 20 })).toBe('b:size d:size | c:size a:size')
  expect(planned(used(1, 4, 2, 3), { maxBytes: 19 })).toBe('b:size d:size c:size | a:size')
  expect(planned(used(1, 4, 2, 3), { maxBytes: 40 })).toBe(' | b:size d:size c:size a:size')
  expect(planned(used(1, 4, 2, 3), { maxBytes: 0 })).toBe('b:size d:size c:size a:size')
})

test('what goes by age counts for the size', () => {
  expect(planned(used(1, 400, 2, 3), { maxAgeMs: 100, maxBytes: 20 })).toBe('b:age d:size | c:size a:size')
})

test('what is superseded goes without a limit, also when it is young, and counts for the size', () => {
  const items = used(1, 400, 2, 3)
  items[2]!.superseded = true
  expect(planned(items, { graceMs: 60 })).toBe('c:superseded | b:size')
  expect(planned(items, { maxBytes: 20 })).toBe('c:superseded b:size | d:size a:size')
})

test('of what was used at one time, what came first goes first', () => {
  expect(planned(used(5, 5, 9, 5), { maxBytes: 10 })).toBe('c:size a:size b:size | d:size')
})

test('what is young stays, however little room there is', () => {
  expect(planned(used(1, 60, 59, 100), { maxBytes: 0, maxAgeMs: 10, graceMs: 60 })).toBe('d:age b:age')
})

test('a time of use in the near future is young, one far ahead protects nothing', () => {
  expect(planned(used(-5, -DAY), { maxBytes: 0, graceMs: 60 })).toBe('b:size')
})

test('the excess is of all there is, and negative where there is room', () => {
  expect(plan(used(1, 2), { maxBytes: 5, graceMs: 0, now: NOW }).excess).toBe(15)
  expect(plan(used(1, 2), { maxBytes: 25, graceMs: 0, now: NOW }).excess).toBe(-5)
})
