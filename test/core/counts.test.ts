/** Sums of what was counted, and lines of them that were torn, or written by anybody. */
import { expect, test } from 'vitest'
import { addTo, decodeCounted, encodeCounted, hitRate, noCounts } from '../../src/core/counts.js'

const ID = '0123456789abcdef'.repeat(4)
const line = (change: object): string => JSON.stringify({ at: 1, id: ID, key: 'k', ...change })

test('what was not counted is nothing', () => {
  expect(new Set(Object.values(noCounts()))).toEqual(new Set([0]))
  expect(decodeCounted(line({ hits: 2 }))).toEqual({
    at: 1,
    id: ID,
    key: 'k',
    counts: { ...noCounts(), hits: 2 },
  })
})

test('sums are added up, whatever part of them there is', () => {
  const sum = noCounts()
  addTo(sum, { hits: 1, bytes: 10 })
  addTo(sum, { hits: 2 })
  expect(sum).toEqual({ ...noCounts(), hits: 3, bytes: 10 })
})

test('of all calls, hits and waits had to build nothing', () => {
  expect(hitRate({ ...noCounts(), hits: 3, waited: 2, compiled: 4, private: 1, failures: 9 })).toBe(0.5)
  expect(hitRate({ ...noCounts(), hits: 1 })).toBe(1)
  expect(hitRate({ ...noCounts(), compiled: 1 })).toBe(0)
  expect(hitRate({ ...noCounts(), failures: 1 })).toBeNull()
})

test('a line has only what was counted, in whole units', () => {
  const counts = { hits: 1, waited: 0, buildMs: 2.6, savedMs: 0.4 }
  expect(encodeCounted({ at: 1, id: ID, key: 'k', counts })).toBe(`${line({ hits: 1, buildMs: 3 })}\n`)
})

test.each<[string, object]>([
  ['no time', { at: null }],
  ['a number for an id', { id: 7 }],
  ['a list that reads as an id', { id: [ID] }],
  ['an id that is too short', { id: ID.slice(1) }],
  ['an id that is too long', { id: `${ID}0` }],
  ['an id in capitals', { id: ID.toUpperCase() }],
  ['a key that is no text', { key: {} }],
  ['half a hit', { hits: 0.5 }],
  ['fewer hits than none', { hits: -1 }],
])('a line with %s is none', (_name, change) => expect(decodeCounted(line(change))).toBeNull())

test.each(['', 'null', '7', '[]', line({}).slice(0, -1)])('%j is no line of counts', (text) => {
  expect(decodeCounted(text)).toBeNull()
})
