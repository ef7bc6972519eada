import { expect, test } from 'vitest'
import {
  count,
  formatAge,
  formatElapsed,
  formatSize,
  parseDuration,
  parseSize,
} from '../../src/cli/quantities.js'

const KB = 1024

test.each([
  ['50GB', 50 * KB ** 3],
  ['50G', 50 * KB ** 3],
  ['50 GiB', 50 * KB ** 3],
  ['1.5tb', 1.5 * KB ** 4],
  ['800M', 800 * KB ** 2],
  ['1k', KB],
  ['12', 12],
  ['0', 0],
  ['7b', 7],
])('%s is a size', (text, size) => expect(parseSize(text, '--x')).toBe(size))

test.each(['', 'GB', '5 G B', '50x', '-1', '1e3', '5,5G', 'Infinity', '0x10', '1.', '.5', '1.G', '.5G'])(
  '%j is no size',
  (text) => {
    expect(() => parseSize(text, '--x')).toThrow(`--x takes a size such as 50GB, not '${text}'.`)
  },
)

test.each([
  ['14d', 14 * 24 * 3_600_000],
  ['2 weeks', 14 * 24 * 3_600_000],
  ['12h', 12 * 3_600_000],
  [' 12 h ', 12 * 3_600_000],
  ['1.5m', 90_000],
  ['0s', 0],
])('%s is a duration', (text, duration) => expect(parseDuration(text, '--x')).toBe(duration))

test.each(['', '14', 'soon', '-3d', '-0s', '3 fortnights', '1d 2h', '.5h', '1.h'])(
  '%j is no duration',
  (text) => {
    expect(() => parseDuration(text, '--x')).toThrow('--x takes a duration')
  },
)

test('what was not given is no limit', () => {
  expect([parseSize(undefined, '--x'), parseDuration(undefined, '--x')]).toEqual([undefined, undefined])
})

test('sizes and ages are short', () => {
  const sizes = [0, 1023, 1536, 1280, 5 * KB ** 3].map(formatSize)
  expect(sizes).toEqual(['0 B', '1023 B', '1.5 KB', '1.3 KB', '5 GB'])
  expect([0, 999, 1_000, 3_600_000, -5_000].map((age) => formatAge(1_000_000 - age, 1_000_000))).toEqual([
    'just now',
    'just now',
    '1s ago',
    '1h ago',
    'just now',
  ])
})

test.each([
  [0, '0:00'],
  [-5_000, '0:00'],
  [7_400, '0:07'],
  [59_600, '1:00'],
  [133_000, '2:13'],
  [3_600_000, '1:00:00'],
  [93_733_000, '26:02:13'],
])('%i ms have elapsed: %s', (elapsedMs, text) => expect(formatElapsed(elapsedMs)).toBe(text))

test('there is one, and there are none or several', () => {
  expect([0, 1, 2].map((number) => count(number, 'entry', 'entries'))).toEqual([
    '0 entries',
    '1 entry',
    '2 entries',
  ])
  expect(count(3, 'file')).toBe('3 files')
})
