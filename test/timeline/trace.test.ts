/** Chrome trace events, against the fields that "Trace Event Format" asks for. */
import { expect, test } from 'vitest'
import type { EventRecord } from '../../src/core/event-record.js'
import { Lanes } from '../../src/cli/timeline/picture.js'
import { Trace } from '../../src/cli/timeline/trace.js'
import { ended, eventsOf, obtained, released, started, waitEnded, waiting } from '../support/event-records.js'

interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  cat: string
  ts: number
  dur: number
  s: string
  args: Record<string, unknown>
}

function traceOf(records: EventRecord[]): TraceEvent[] {
  let text = ''
  const trace = new Trace((piece) => (text += piece))
  const lanes = new Lanes((lane, activity, to) => trace.activity(lane, activity, to))
  for (const record of records) lanes.take(record)
  trace.finish(lanes.finish({ now: 0, verdict: () => 'dead' })!)
  const { traceEvents, displayTimeUnit } = JSON.parse(text) as {
    traceEvents: TraceEvent[]
    displayTimeUnit: string
  }
  expect(displayTimeUnit).toBe('ms')
  return traceEvents
}

const BEGIN = 1_790_000_000_000

/** Two containers on one host name, both pid 7: one builds two keys at once and dies, one waits for it. */
function records(): EventRecord[] {
  const victim = eventsOf({ token: 'a', pid: 7 })
  const next = eventsOf({ token: 'b', pid: 7, name: 'rank "1"' })
  return [
    victim(BEGIN, started()),
    victim(BEGIN + 10, { type: 'build-started', key: 'k1' }),
    victim(BEGIN + 20, { type: 'build-started', key: 'k2' }),
    victim(BEGIN + 25, { type: 'published', key: 'k1', bytes: 5, ours: true }),
    next(BEGIN + 5, started()),
    next(BEGIN + 21, waiting('k2')),
    next(BEGIN + 90.5, waitEnded('k2')),
    next(BEGIN + 91, obtained('k2', 'compiled')),
    next(BEGIN + 92, released('k2')),
    next(BEGIN + 95, ended(1)),
  ]
}

test('every event has the fields of its phase', () => {
  for (const event of traceOf(records())) {
    expect(event).toMatchObject({ name: expect.any(String) as string, pid: expect.any(Number) as number })
    expect(Number.isInteger(event.tid)).toBe(true)
    if (event.ph === 'M') {
      expect(['process_name', 'process_sort_index', 'thread_name']).toContain(event.name)
      expect(Object.keys(event.args)).toEqual([event.name === 'process_sort_index' ? 'sort_index' : 'name'])
      continue
    }
    expect(Number.isSafeInteger(event.ts)).toBe(true)
    expect(typeof event.cat).toBe('string')
    if (event.ph === 'i') expect(event.s).toBe('p')
    else {
      expect(event.ph).toBe('X')
      expect(Number.isSafeInteger(event.dur) && event.dur >= 0).toBe(true)
    }
  }
})

test('microseconds, a process for each worker, and how they ended', () => {
  const events = traceOf(records())
  const named = events.filter(({ name }) => name === 'process_name')
  expect(named.map(({ pid, args }) => [pid, args['name']])).toEqual([
    [2, 'rank "1" (pid 7 on node1)'],
    [1, 'pid 7 (pid 7 on node1)'],
  ])
  const wait = events.find(({ name }) => name === 'waiting')
  expect(wait).toMatchObject({ ts: (BEGIN + 21) * 1000, dur: 69_500, args: { subject: 'k2' } })
  expect(events.filter(({ ph }) => ph === 'i').map(({ name, pid }) => [pid, name])).toEqual([
    [2, 'exit code 1'],
    [1, 'did not end'],
  ])
})

test('what overlaps in one process has tracks of its own', () => {
  const spans = traceOf(records()).filter(({ ph, tid }) => ph === 'X' && tid > 0)
  for (const one of spans) {
    for (const other of spans) {
      if (one === other || one.pid !== other.pid || one.tid !== other.tid) continue
      expect(one.ts + one.dur <= other.ts || other.ts + other.dur <= one.ts).toBe(true)
    }
  }
  expect(
    spans.filter(({ name }) => name === 'compiling').map(({ tid, args }) => [tid, args['subject']]),
  ).toEqual([
    [1, 'k1'],
    [2, 'k2'],
  ])
})
