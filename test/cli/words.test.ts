/** What others wrote, shown to people: it says what it says, and does nothing. */
import { expect, test } from 'vitest'
import { readableKey } from '../../src/cli/words.js'
import { printable, printableLines } from '../../src/core/printable.js'

test.each([
  ['an escape sequence', '\u001b[2J\u001b]0;title\u0007'],
  ['a carriage return', 'fine\rnot fine'],
  ['a line feed, which would begin a line of its own', 'a\nb'],
  ['a C1 control', '\u009b31m'],
  ['a right-to-left override', '\u202egpj.exe'],
  ['a zero-width space', 'a\u200bb'],
  ['half of a surrogate pair', '\ud83d'],
  ['a line separator', 'a\u2028b'],
  ['a paragraph separator', 'a\u2029b'],
])('control characters are neutralised: %s', (_what, text) => {
  expect(printable(text)).not.toMatch(/[\p{C}\u2028\u2029]/u)
})

test('each of several is neutralised, and lines stay lines where they may', () => {
  expect(printable('a\u0007b\u0007\nc')).toBe('a�b��c')
  expect(printableLines('a\u0007b\u0007\nc')).toBe('a�b�\nc')
})

test('letters of any script are left as they are', () => {
  expect(printable('größe 日本 😀 pid 7')).toBe('größe 日本 😀 pid 7')
})

test.each([
  ['"llama-8b"', 'llama-8b'],
  ['"a+b/c@d%e-f_g:h;i,j.k"', 'a+b/c@d%e-f_g:h;i,j.k'],
  ['{"dtype":"bf16","model":"llama-8b"}', 'dtype=bf16 model=llama-8b'],
  ['{"a":1}', 'a=1'],
  ['{"a":null,"b":true}', 'a=null b=true'],
])('a key of plain parts is read without quotes: %s', (key, text) => expect(readableKey(key)).toBe(text))

test.each([
  '""',
  '" b"',
  '"a "',
  '{}',
  '{"a":"x y","b":"z"}',
  '{"":1}',
  '{"a":{"b":1}}',
  '["a"]',
  '7',
  '{"shortened":"…',
])('any other key is read as it is written: %s', (key) => expect(readableKey(key)).toBe(key))
