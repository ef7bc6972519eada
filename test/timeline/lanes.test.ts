/** What a row shows, out of the events of its processes. */
import { expect, test } from 'vitest'
import type { EventRecord } from '../../src/core/event-record.js'
import { Lanes, type Picture, type Present } from '../../src/cli/timeline/picture.js'
import type { Span } from '../../src/cli/timeline/spans.js'
import { ended, eventsOf, obtained, released, started, waitEnded, waiting } from '../support/event-records.js'

const GONE: Present = { now: 10_000, verdict: () => 'dead' }

function draw(records: EventRecord[], present = GONE): Picture {
  const lanes = new Lanes()
  for (const record of records) lanes.take(record)
  return lanes.finish(present)!
}

const shape = (spans: Span[]): [string, number, number][] =>
  spans.map(({ state, from, to }) => [state, from, to])
const spansOf = (records: EventRecord[], present?: Present): [string, number, number][] =>
  shape(draw(records, present).rows[0]!.spans)

test('a process that waits, loads, and is ready', () => {
  const at = eventsOf()
  const records = [
    at(0, started()),
    at(10, waiting('k')),
    at(1010, waiting('k')),
    at(2000, waitEnded('k')),
    at(2001, obtained('k', 'waited')),
    at(2500, released('k')),
    at(3000, ended()),
  ]
  expect(spansOf(records)).toEqual([
    ['starting', 0, 10],
    ['waiting', 10, 2000],
    ['starting', 2000, 2001],
    ['loading', 2001, 2500],
    ['ready', 2500, 3000],
  ])
})

test('waiting counts from its begin, which is told a little later', () => {
  const at = eventsOf()
  const told = { ...waiting('k'), waitedMs: 4 } as EventRecord
  expect(spansOf([at(0, started()), at(14, told), at(20, waitEnded('k', false)), at(20, ended())])).toEqual([
    ['starting', 0, 10],
    ['waiting', 10, 20],
  ])
})

test('who builds one key, waits for another and holds a lock is compiling', () => {
  const at = eventsOf()
  const records = [
    at(0, { type: 'locked', target: '/t' }),
    at(1, waiting('other')),
    at(2, { type: 'build-started', key: 'k' }),
    at(3, { type: 'published', key: 'k', bytes: 1, ours: true }),
    at(4, waitEnded('other')),
    at(5, { type: 'unlocked', target: '/t' }),
    at(6, ended()),
  ]
  expect(spansOf(records).map(([state]) => state)).toEqual([
    'holding',
    'waiting',
    'compiling',
    'waiting',
    'holding',
    'ready',
  ])
})

test('a process without an end is marked where it was last heard of, and one with a bad end at its end', () => {
  const died = eventsOf({ token: 'a', pid: 1 })
  const failed = eventsOf({ token: 'b', pid: 2 })
  const { rows } = draw([
    died(0, started()),
    died(5, { type: 'build-started', key: 'k' }),
    failed(0, started()),
    failed(9, ended(3)),
  ])
  expect(rows.map(({ spans }) => shape(spans))).toEqual([
    [
      ['starting', 0, 5],
      ['died', 5, 5],
    ],
    [
      ['starting', 0, 9],
      ['failed', 9, 9],
    ],
  ])
})

test('a builder that died lived until the next one had its lock, and not a moment longer', () => {
  const victim = eventsOf({ token: 'a', pid: 1 })
  const [next, last] = [eventsOf({ token: 'b', pid: 2 }), eventsOf({ token: 'c', pid: 3 })]
  const { rows } = draw([
    victim(0, { type: 'build-started', key: 'k' }),
    next(0, waiting('k')),
    last(0, waiting('k')),
    next(700, waitEnded('k')),
    next(701, { type: 'build-started', key: 'k' }),
    last(900, waitEnded('k')),
  ])
  expect(shape(rows[0]!.spans)).toEqual([
    ['compiling', 0, 700],
    ['died', 700, 700],
  ])
})

test('a process that still lives is drawn up to now', () => {
  const at = eventsOf()
  const records = [at(0, started()), at(5, { type: 'build-started', key: 'k' })]
  expect(spansOf(records, { now: 60, verdict: () => 'alive' })).toEqual([
    ['starting', 0, 5],
    ['compiling', 5, 60],
  ])
})

test('a worker that was started again keeps its row; two of one name at once have one each', () => {
  const first = eventsOf({ token: 'a', name: 'rank 10', pid: 1 })
  const again = eventsOf({ token: 'b', name: 'rank 10', pid: 2 })
  const other = eventsOf({ token: 'c', name: 'rank 10', pid: 3 })
  const { rows } = draw([
    first(0, started()),
    first(5, ended(1)),
    again(6, started()),
    again(9, ended()),
    other(7, started()),
    other(9, ended()),
    eventsOf({ token: 'd', name: 'rank 9' })(8, ended()),
  ])
  expect(rows.map(({ label, processes }) => [label, processes.length])).toEqual([
    ['rank 9', 1],
    ['rank 10', 2],
    ['rank 10 (pid 3)', 1],
  ])
})

test('a record that comes twice counts once, and the same pid in two containers is two workers', () => {
  const [a, b] = [eventsOf({ token: 'a' }), eventsOf({ token: 'b' })]
  const records = [a(0, started()), a(1, obtained('k', 'hit')), a(2, ended())]
  const { rows } = draw([...records, ...records, b(0, started()), b(4, ended())])
  expect(rows).toHaveLength(2)
  expect(rows[0]!.processes[0]!.lane.outcomes).toEqual({ hit: 1 })
})

test('a million events take bounded memory, and still cover the whole time', () => {
  const at = eventsOf()
  const lanes = new Lanes()
  lanes.take(at(0, started()))
  for (let time = 0; time < 500_000; time++) {
    lanes.take(at(2 * time, obtained(`k${time}`, 'hit')))
    if (time % 2 === 0) lanes.take(at(2 * time + 1, released(`k${time}`)))
  }
  lanes.take(at(1_000_000, ended()))
  const { spans, unfinished } = lanes.finish(GONE)!.rows[0]!.processes[0]!.lane
  expect(spans.length).toBeLessThanOrEqual(2_000)
  expect(unfinished).toEqual([])
  expect([spans[0]!.from, spans.at(-1)!.to]).toEqual([0, 1_000_000])
  for (const [index, span] of spans.entries()) if (index > 0) expect(span.from).toBe(spans[index - 1]!.to)
})
