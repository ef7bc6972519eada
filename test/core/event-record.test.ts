/** Records are read back from what may have been torn, mixed up, or written by anybody. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MAX_LINE_BYTES, parseEventRecord } from '../../src/core/event-record.js'
import { readRecords } from '../../src/cli/timeline/read.js'
import { ended, eventsOf, obtained, started, waitEnded, waiting } from '../support/event-records.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const at = eventsOf()
const GOOD = [
  at(0, started()),
  at(1, waiting('k')),
  at(2, waitEnded('k')),
  at(3, { type: 'build-started', key: 'k' }),
  at(4, { type: 'build-failed', key: 'k', message: 'no' }),
  at(5, { type: 'published', key: 'k', bytes: 1, ours: false }),
  at(6, obtained('ключ', 'hit')),
  at(7, { type: 'trouble', what: 'degraded', message: 'EROFS' }),
  at(8, { type: 'worker-prepared', workerName: '0', slot: 3, path: '/slots/003' }),
  at(9, { type: 'worker-seeded', workerName: '0', units: 2, files: 3, bytes: 4 }),
  at(10, { type: 'worker-published', workerName: '0', unit: 'jax/a', bytes: 1 }),
  at(11, ended()),
]

test('what was written is read back', () => {
  for (const record of GOOD) expect(parseEventRecord(JSON.stringify(record))).toEqual(record)
})

test('a record with any field missing or of another kind is none', () => {
  for (const record of GOOD) {
    for (const field of Object.keys(record)) {
      const { [field as 'at']: _, ...without } = record
      expect(parseEventRecord(JSON.stringify(without)), `without ${field}`).toBeNull()
      expect(parseEventRecord(JSON.stringify({ ...without, [field]: [] })), `${field} is []`).toBeNull()
    }
  }
})

const ofTime = (time: string): string =>
  JSON.stringify({ ...GOOD[1], at: 17 }).replace('"at":17', `"at":${time}`)

test.each(['0', '8.64e15'])('a record of the time %s is one', (time) => {
  expect(parseEventRecord(ofTime(time))).not.toBeNull()
})

test.each(['-1', '8640000000000001', '1e999'])('a record of the time %s is none', (time) => {
  expect(parseEventRecord(ofTime(time))).toBeNull()
})

test('infinitely many bytes are none, and a line is no longer than what a pipe takes in one piece', () => {
  const line = JSON.stringify(at(0, { type: 'published', key: 'k', bytes: 17, ours: true }))
  expect(parseEventRecord(line)).not.toBeNull()
  expect(parseEventRecord(line.replace('17', '1e999'))).toBeNull()
  // PIPE_BUF of pipe(7).
  expect(MAX_LINE_BYTES).toBe(4096)
})

test.each(['', 'null', '[]', '{}', '7', '{"schema":2}', '{"schema":1,"type":"toString"}', '{"at":1'])(
  '%s is no record',
  (line) => expect(parseEventRecord(line)).toBeNull(),
)

test('a file torn at any byte, or with anything between its lines, gives its whole lines and a count of the others', async () => {
  const whole = GOOD.map((record) => JSON.stringify(record))
  const bytes = Buffer.from(whole.join('\n'))
  const path = join(scratch(), 'events')
  for (let length = 0; length < bytes.length; length += 7) {
    const content = Buffer.concat([bytes.subarray(0, length), Buffer.from(`\nnoise ${length}\n`), bytes])
    writeFileSync(path, content)
    const lines = content.toString().split('\n')
    const good = lines.filter((line) => whole.includes(line))
    const taken: string[] = []
    const skipped = await readRecords([path], (record) => taken.push(JSON.stringify(record)))
    expect(taken).toEqual(good)
    expect(skipped).toBe(lines.filter((line) => line !== '' && !whole.includes(line)).length)
  }
})

test('a line of many megabytes is skipped, in bounded memory, and what follows is read', async () => {
  const path = join(scratch(), 'events')
  const good = JSON.stringify(GOOD[1])
  writeFileSync(path, `${good}\n"${'x'.repeat(64 * 1024 * 1024)}"\n${good}\n"${'y'.repeat(100_000)}`)
  global.gc?.()
  const before = process.memoryUsage().rss
  let taken = 0
  expect(await readRecords([path], () => taken++)).toBe(2)
  expect(taken).toBe(2)
  expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024)
})
