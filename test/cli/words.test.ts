/** What others wrote, shown to people: it says what it says, and does nothing. */
import { expect, test } from 'vitest'
import { readableKey } from '../../src/cli/words.js'
import { printable } from '../../src/core/printable.js'

test.each([
  ['an escape sequence', '\u001b[2J\u001b]0;title\u0007'],
  ['a carriage return', 'fine\rnot fine'],
  ['a line feed, which would begin a line of its own', 'a\nb'],
  ['a C1 control', '\u009b31m'],
  ['a right-to-left override', '\u202egpj.exe'],
  ['a zero-width space', 'a\u200bb'],
  ['half of a surrogate pair', '\ud83d'],
])('control characters are neutralised: %s', (_what, text) => {
  expect(printable(text)).not.toMatch(/\p{C}/u)
})

test('letters of any script are left as they are', () => {
  expect(printable('größe 日本 😀 pid 7')).toBe('größe 日本 😀 pid 7')
  expect(readableKey('{"dtype":"bf16","model":"llama-8b"}')).toBe('dtype=bf16 model=llama-8b')
})
