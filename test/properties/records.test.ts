/** Records that anybody may have written: what was written is read back, and anything else is none, or harmless. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Counted, decodeCounted, encodeCounted, noCounts } from '../../src/core/counts.js'
import { parseEventRecord } from '../../src/core/event-record.js'
import { type Owner, describeOwner, judge, parseOwner } from '../../src/core/owner.js'
import { printable, printableLines } from '../../src/core/printable.js'
import { isOver, parseWaiter } from '../../src/core/waiter.js'
import { Lanes } from '../../src/cli/timeline/picture.js'
import { readableKey } from '../../src/cli/words.js'
import { columns } from '../../src/cli/render.js'
import { canonicalKey } from '../../src/core/key.js'
import { sha256 } from '../../src/host/hash.js'
import { linesOf } from '../../src/host/lines.js'
import { forAll, forAllAsync } from '../support/properties.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()

const time = fc.integer({ min: 0, max: 8.64e15 })
const owners: fc.Arbitrary<Owner> = fc.record({
  pid: fc.integer({ min: 1, max: 2 ** 31 }),
  startTime: fc.option(fc.string()),
  bootId: fc.option(fc.string()),
  pidNamespace: fc.option(fc.string()),
  host: fc.string({ unit: 'binary' }),
  command: fc.string({ unit: 'binary' }),
  since: time,
})
const here = { bootId: 'boot', pidNamespace: 'pid:[1]', startTimeOf: () => null }

test('an owner is read back, and so is a waiter', () => {
  forAll(owners, fc.option(fc.string()), fc.option(time), (owner, label, deadline) => {
    expect(parseOwner(JSON.parse(JSON.stringify(owner)))).toEqual(owner)
    expect(parseWaiter({ owner, label, deadline })).toEqual({ owner, label, deadline })
  })
})

/** As much like an owner as a forger cares to make it. */
const forged = fc
  .tuple(owners, fc.constantFrom('pid', 'host', 'command', 'since', 'startTime', 'bootId'), fc.anything())
  .map(([owner, field, value]) => Object.assign(owner, { [field]: value }))

test('whatever somebody calls an owner, what is made of it can be shown and judged', () => {
  forAll(fc.oneof(forged, fc.anything()), (value) => {
    const owner = parseOwner(value)
    if (owner === null) return
    expect(['alive', 'dead', 'unknown']).toContain(judge(owner, here))
    expect(new Date(owner.since).toISOString()).toMatch(/Z$/)
    expect(describeOwner(owner)).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    const waiter = parseWaiter({ owner: value, label: value, deadline: value })
    if (waiter) expect(typeof isOver(waiter, here, 0)).toBe('boolean')
  })
})

const COUNTS = Object.keys(noCounts())

test('what was counted is read back; and of any line at all only sums that can be added up', () => {
  const counts = fc.dictionary(fc.constantFrom(...COUNTS), fc.integer({ min: 1, max: 2 ** 40 }))
  const key = fc.string({ unit: 'binary' })
  forAll(time, key, counts, (at, text, some) => {
    const counted: Counted = { at, id: sha256(text), key: text, counts: some }
    expect(decodeCounted(encodeCounted(counted))).toMatchObject({
      at,
      id: sha256(text),
      key: text,
      counts: some,
    })
  })
  const forgery = fc
    .tuple(fc.constantFrom(...COUNTS, 'at', 'id', 'key'), fc.jsonValue())
    .map(([field, value]) => JSON.stringify({ at: 1, id: sha256(''), key: '', [field]: value }))
  const line = fc.oneof(
    forgery,
    fc
      .constantFrom('1e999', '-1', '0.5', '9e300', '"1"')
      .map((n) => `{"at":1,"id":"${sha256('')}","key":"","hits":${n}}`),
    fc.string({ unit: 'binary' }),
    fc.json(),
  )
  forAll(line, (text) => {
    for (const count of Object.values(decodeCounted(text)?.counts ?? {})) {
      expect(Number.isSafeInteger(count)).toBe(true)
      expect(count).toBeGreaterThanOrEqual(0)
    }
  })
})

const event = fc.record({
  schema: fc.constant(1),
  at: fc.oneof(time, fc.double()),
  order: fc.nat(),
  worker: fc.record({ token: fc.string(), host: fc.string(), pid: fc.nat(), name: fc.option(fc.string()) }),
  type: fc.constantFrom(
    'process-started',
    'process-ended',
    'waiting',
    'wait-ended',
    'build-started',
    'build-failed',
    'published',
    'obtained',
    'released',
    'locked',
    'unlocked',
    'child-started',
    'child-ended',
    'worker-prepared',
    'worker-seeded',
    'worker-published',
    'trouble',
    '__proto__',
    'toString',
  ),
  key: fc.oneof(fc.string(), fc.constant(null)),
  target: fc.oneof(fc.string(), fc.constant(null)),
  path: fc.string(),
  owner: owners,
  message: fc.string(),
  what: fc.constantFrom('damaged', 'degraded', 'lease-lost', 'else'),
  outcome: fc.constantFrom('hit', 'compiled', 'waited', 'private', 'else'),
  waitedMs: fc.oneof(fc.nat(), fc.double()),
  elapsedMs: fc.oneof(fc.nat(), fc.double()),
  exitCode: fc.integer(),
  bytes: fc.nat(),
  ours: fc.boolean(),
  got: fc.boolean(),
  pid: fc.nat(),
  command: fc.string(),
  workerName: fc.string(),
  slot: fc.option(fc.nat()),
  units: fc.nat(),
  files: fc.nat(),
  unit: fc.string(),
})

test('a line of events is a record that a timeline can be drawn of, or none', () => {
  forAll(fc.array(event, { maxLength: 30 }), (events) => {
    const lanes = new Lanes()
    for (const each of events) {
      const record = parseEventRecord(JSON.stringify(each))
      if (record !== null) lanes.take(record)
    }
    const picture = lanes.finish({ now: 0, verdict: () => 'unknown' })
    if (picture !== null) {
      expect(Number.isFinite(picture.from) && Number.isFinite(picture.to)).toBe(true)
      expect(picture.to).toBeGreaterThanOrEqual(picture.from)
    }
  })
  forAll(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => void parseEventRecord(text))
})

test('lines come as they stand in the file, and of those that are too long that they were there', async () => {
  const line = fc.oneof(fc.string({ maxLength: 10 }), fc.string({ minLength: 15, maxLength: 60 }))
  await forAllAsync(
    fc.tuple(
      fc.array(
        line.map((text) => text.replaceAll(/[\n\r]/g, '_')),
        { maxLength: 20 },
      ),
      fc.boolean(),
    ),
    async ([lines, ends]) => {
      const path = join(scratch(), 'lines')
      const content = lines.join('\n') + (ends ? '\n' : '')
      writeFileSync(path, content)
      const read: (string | null)[] = []
      for await (const some of linesOf(path, 12)) read.push(...some)
      const whole = content.split('\n')
      if (whole.at(-1) === '') whole.pop()
      expect(read).toEqual(whole.map((text) => (text.length > 12 ? null : text)))
    },
  )
})

const STEERS = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u

test('nothing that is shown moves the cursor, begins a line, or writes backwards', () => {
  forAll(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
    expect(printable(a)).not.toMatch(STEERS)
    expect(printable(printable(a))).toBe(printable(a))
    expect(printableLines(`${a}\n${b}`).replaceAll('\n', '')).not.toMatch(STEERS)
    expect(columns([[a, b]]).slice(0, -1)).not.toMatch(STEERS)
  })
  forAll(fc.string({ unit: 'grapheme-ascii' }), (text) => expect(printable(text)).toBe(text))
})

test('every key has a readable form, and a plain one no quotes', () => {
  forAll(fc.jsonValue(), (value) => {
    const canonical = canonicalKey(value)
    expect(readableKey(canonical)).toBeTypeOf('string')
  })
  forAll(fc.string({ unit: 'binary' }), (text) => expect(readableKey(text)).toBeTypeOf('string'))
})
