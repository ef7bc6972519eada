import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LATCH_ERROR_CODES, LatchError, isLatchError, messageOf } from '../../src/core/errors.js'
import { explain } from '../../src/host/disk-errors.js'

const TESTS = join(import.meta.dirname, '../../../test')
const sources = (readdirSync(TESTS, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.test.ts') && !name.endsWith('core/errors.test.ts'))
  .map((name) => readFileSync(join(TESTS, name), 'utf8'))
const codes = Object.keys(LATCH_ERROR_CODES) as (keyof typeof LATCH_ERROR_CODES)[]

test.each(codes)('%s is thrown in some test', (code) => {
  expect(sources.some((text) => text.includes(`'${code}'`))).toBe(true)
})

test('an error of the library is recognised across copies of the package, with and without a code', () => {
  const error = new LatchError('DISK_FULL', 'm', { hint: 'h', path: '/p', cause: 7 })
  expect(error).toMatchObject({ name: 'LatchError', code: 'DISK_FULL', hint: 'h', path: '/p', cause: 7 })
  const fromAnotherCopy = Object.assign(new Error('m'), { name: 'LatchError', code: 'DISK_FULL' })
  for (const one of [error, fromAnotherCopy]) {
    expect(isLatchError(one)).toBe(true)
    expect(isLatchError(one, 'READ_ONLY', 'DISK_FULL')).toBe(true)
    expect(isLatchError(one, 'READ_ONLY')).toBe(false)
  }
  expect(isLatchError(Object.assign(new Error('m'), { code: 'DISK_FULL' }))).toBe(false)
  expect(isLatchError({ name: 'LatchError', code: 'DISK_FULL' })).toBe(false)
})

test.each([
  ['ENOSPC', 'DISK_FULL'],
  ['EDQUOT', 'DISK_FULL'],
  ['EFBIG', 'DISK_FULL'],
  ['EROFS', 'READ_ONLY'],
  ['EACCES', 'NO_PERMISSION'],
  ['EPERM', 'NO_PERMISSION'],
  ['EXDEV', 'CROSS_DEVICE'],
  ['ELOOP', 'UNSAFE_PATH'],
  ['ENOTDIR', 'UNSAFE_PATH'],
  ['EIO', 'DISK_ERROR'],
  ['ESTALE', 'DISK_ERROR'],
])('%s is explained as %s, with a hint and the cause', (errno, code) => {
  const cause = Object.assign(new Error('x'), { code: errno })
  expect(explain(cause, 'Writing', '/p')).toMatchObject({
    name: 'LatchError',
    code,
    path: '/p',
    cause,
    hint: expect.stringMatching(/\w/),
    message: `Writing failed with ${errno}: /p`,
  })
})

test.each([
  [new LatchError('DISK_FULL', 'm', { hint: 'h' })],
  [new TypeError('m')],
  ['text'],
  [null],
  [undefined],
])('what is no error of the file system passes unchanged: %s', (error) => {
  expect(explain(error, 'Writing', '/p')).toBe(error)
  expect(messageOf(error)).toBeTypeOf('string')
})
