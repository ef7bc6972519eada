/** What became of the last build: as it was written, or as anybody may have written it. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { directDisk } from '../../src/host/disk.js'
import {
  type Attempt,
  ROW_ENDS_AFTER_MS,
  clearAttempt,
  readAttempt,
  writeAttempt,
} from '../../src/store/attempts.js'
import { Layout } from '../../src/store/layout.js'
import { useScratch } from '../support/scratch.js'
import { SOME_OWNER } from '../support/some-owner.js'

const scratch = useScratch()
const ID = 'a'.repeat(64)
const owner = { ...SOME_OWNER, command: 'serve' }
const record: Attempt = { token: 't', state: 'building', owner, at: 1, crashes: 0 }
const error = { name: 'TypeError', message: 'no', code: 'E' }

let layout: Layout
beforeEach(() => {
  layout = new Layout(scratch())
  mkdirSync(dirname(layout.attempt(ID)), { recursive: true })
})

const read = (): Promise<Attempt | null> => readAttempt(directDisk, layout, ID)

/** As somebody else would have written it. */
function readBack(value: unknown): Promise<Attempt | null> {
  writeFileSync(layout.attempt(ID), JSON.stringify(value))
  return read()
}

test('a record is read back until it is cleared, and leaves nothing', async () => {
  await writeAttempt(directDisk, layout, ID, record, 'd')
  expect(await read()).toEqual(record)
  await clearAttempt(directDisk, layout, ID)
  expect(await read()).toBeNull()
  expect(readdirSync(dirname(layout.attempt(ID)))).toEqual([])
})

const LAST = 8.64e15 - 1e9 - 1

test.each<[Partial<Attempt>]>([
  [{ state: 'crashed', crashes: 3 }],
  [{ state: 'failed', error }],
  [{ state: 'failed', error: { name: 'Error', message: '' } }],
  [{ at: LAST }],
  [{ at: -LAST }],
])('%j is taken as it is', async (change) => {
  expect(await readBack({ ...record, ...change })).toEqual({ ...record, ...change })
})

test.each<[unknown]>([
  [null],
  ['text'],
  [{ ...record, token: 7 }],
  [{ ...record, state: 'done' }],
  [{ ...record, owner: null }],
  [{ ...record, at: '1' }],
  [{ ...record, at: LAST + 1 }],
  [{ ...record, at: -LAST - 1 }],
  [{ ...record, crashes: -1 }],
  [{ ...record, crashes: 0.5 }],
])('%j is none', async (value) => expect(await readBack(value)).toBeNull())

test('only a build that failed has an error, which is always one that can be told', async () => {
  expect(await readBack({ ...record, error })).toEqual(record)
  for (const nonsense of [undefined, null, 7, { name: 1, message: {}, code: 3 }])
    expect(await readBack({ ...record, state: 'failed', error: nonsense })).toEqual({
      ...record,
      state: 'failed',
      error: { name: 'Error', message: 'unknown error' },
    })
})

test('a record of 64 KiB is read, a longer one is not', async () => {
  const bytes = JSON.stringify(record).length
  const ofLength = (length: number): object => ({ ...record, token: 't'.repeat(1 + length - bytes) })
  expect(await readBack(ofLength(65_536))).not.toBeNull()
  expect(await readBack(ofLength(65_537))).toBeNull()
})

test('crashes that are more than a day apart are not in a row', () => {
  expect(ROW_ENDS_AFTER_MS).toBe(86_400_000)
})
