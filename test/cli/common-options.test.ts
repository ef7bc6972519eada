/** What is typed for an option that several commands have. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command as env } from '../../src/cli/env.js'
import { readCommandLine } from '../../src/cli/command.js'
import { cacheDirectory, recordEvents, secondsToMs, wholeNumber } from '../../src/cli/common-options.js'
import { UsageError } from '../../src/cli/usage.js'

const VARIABLES = ['CACHELATCH_DIR', 'CACHELATCH_EVENTS', 'XDG_CACHE_HOME']
let before: (string | undefined)[]
beforeEach(() => {
  before = VARIABLES.map((name) => process.env[name])
  for (const name of VARIABLES) delete process.env[name]
})
afterEach(() => {
  VARIABLES.forEach((name, at) => {
    if (before[at] === undefined) delete process.env[name]
    else process.env[name] = before[at]
  })
})

test.each([
  ['0', 0, 0],
  ['7', 7, 7],
  ['999999999', 0, 999_999_999],
])('%s is a whole number from %i', (text, least, number) => {
  expect(wholeNumber(text, '--x', least)).toBe(number)
})

test.each([
  ['6', 7],
  ['1000000000', 0],
  ['a1', 0],
  ['1a', 0],
  ['-1', 0],
  ['1.5', 0],
  ['', 0],
])('%j is no whole number from %i', (text, least) => {
  const message = `--x takes a whole number from ${least}, not '${text}'.`
  expect(() => wholeNumber(text, '--x', least)).toThrow(new UsageError(message))
})

test.each([
  ['0', 0],
  ['0.5', 500],
  ['90', 90_000],
])('%s seconds are milliseconds', (text, ms) => expect(secondsToMs(text, '--x')).toBe(ms))

test.each(['', ' ', '-1', '1s'])('%j is no number of seconds', (text) => {
  expect(() => secondsToMs(text, '--x')).toThrow(
    new UsageError(`--x takes a number of seconds, not '${text}'.`),
  )
})

test('what was not given is not said', () => {
  expect([secondsToMs(undefined, '--x'), wholeNumber(undefined, '--x', 0)]).toEqual([undefined, undefined])
  recordEvents(undefined)
  expect(process.env['CACHELATCH_EVENTS']).toBeUndefined()
})

test('a cache that is named is taken, else the one of the user', () => {
  expect(cacheDirectory('some/where')).toBe(resolve('some/where'))
  expect(cacheDirectory(undefined)).toBe(join(homedir(), '.cache/cachelatch'))
})

test('a file of events is for those that this process starts, too, wherever they run', () => {
  recordEvents('events')
  expect(process.env['CACHELATCH_EVENTS']).toBe(resolve('events'))
})

test('presets are named one after the other', async () => {
  const line = await readCommandLine(env, ['--preset', 'jax', '-p', 'triton'])
  expect(line?.values.preset).toEqual(['jax', 'triton'])
})
