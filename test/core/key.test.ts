import { describe, expect, test } from 'vitest'
import { type Key, MAX_KEY_LENGTH, canonicalKey, keyLabel } from '../../src/core/key.js'

const canonical = (key: unknown): string => canonicalKey(key as Key)

test('two keys are one when only member order, spelling of numbers or undefined members differ', () => {
  expect(canonical({ b: 1, a: [1.0, 1e2, -0] })).toBe('{"a":[1,100,0],"b":1}')
  expect(canonical({ a: [1, 100, 0], b: 1, c: undefined })).toBe('{"a":[1,100,0],"b":1}')
})

test('members are sorted by UTF-16 units, as RFC 8785 has it', () => {
  // The example of RFC 8785, section 3.2.3.
  const key = { '€': 1, '\r': 2, '\ufb33': 3, '1': 4, '😀': 5, '\u0080': 6, ö: 7 }
  expect(canonical(key)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}')
})

test.each([
  ['../../etc/passwd'],
  ['a\0b'],
  ['\ud800'],
  ['𝒳 模型'],
  [''],
  [null],
  [false],
  [0],
  [[]],
  [{}],
  [[[[]], { a: [null] }]],
  ['x'.repeat(MAX_KEY_LENGTH - 2)],
  [Object.assign(Object.create(null) as object, { a: 1 })],
])('%j is a key, and reads back as itself', (key) => {
  expect(JSON.parse(canonical(key))).toEqual(key)
})

test('a member called __proto__ counts like any other', () => {
  const key: unknown = JSON.parse('{"__proto__":{"a":1},"b":2}')
  expect(canonical(key)).toBe('{"__proto__":{"a":1},"b":2}')
  expect(canonical(key)).not.toBe(canonical({ b: 2 }))
})

const cycle: Record<string, unknown> = { a: 1 }
cycle['self'] = cycle

const unreadable = {
  get a(): never {
    throw new Error('no')
  },
}

/** Few objects, and 2^40 of them as JSON. */
function repeated(): unknown {
  let value: unknown = ['x']
  for (let depth = 0; depth < 40; depth++) value = [value, value]
  return value
}

function nested(depth: number, innermost: unknown = 1): unknown {
  let value = innermost
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

describe('what JSON cannot say is refused, never dropped:', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a hole in an array', Array(2)],
    ['NaN', NaN],
    ['infinity', { a: -Infinity }],
    ['a bigint', 1n],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
    ['a cycle', cycle],
    ['a Map, which would be {} as any other', new Map([['a', 1]])],
    ['a Date', new Date(0)],
    ['bytes', new Uint8Array(3)],
    ['an instance of a class', new URL('file:///x')],
    ['what is nested 100 000 deep', nested(100_000)],
    ['what refers to its parts many times', repeated()],
    ['a text over 1 MiB', 'x'.repeat(MAX_KEY_LENGTH)],
    ['a getter that throws', unreadable],
  ])('%s', (_name, key) => {
    expect(() => canonical(key)).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID', hint: expect.stringContaining('hash long inputs') }),
    )
  })
})

test.each<[unknown, string]>([
  [{ a: NaN }, 'The key contains NaN.'],
  [undefined, 'The key is or contains undefined.'],
  [[1n], 'The key is or contains bigint.'],
  [new Map(), 'The key is or contains a Map.'],
  [nested(3, Object.create(Object.create(Object.create(null)))), 'The key is or contains a object.'],
  [cycle, 'The key is a cycle, or nested too deeply.'],
  [unreadable, 'The key cannot be read.'],
  ['x'.repeat(MAX_KEY_LENGTH), 'The key is over 1048576 characters long.'],
])('the message says what is wrong: key %#', (key, message) => {
  expect(() => canonical(key)).toThrow(expect.objectContaining({ message }))
})

describe('a key has 1 MiB of characters at most,', () => {
  test('and may have that', () => {
    expect(canonical('x'.repeat(1_048_574))).toHaveLength(1_048_576)
    expect(() => canonical('x'.repeat(1_048_575))).toThrow('is over 1048576 characters')
  })

  test('of which none is counted twice, however deep it lies', () => {
    expect(canonical([nested(3, 'x'.repeat(400_000)), 1])).toHaveLength(400_012)
    expect(canonical(Array(4_000).fill(nested(100, [])))).toHaveLength(4_000 * 203 + 1)
  })

  test.each([
    ['a text', (unread: object) => ['x'.repeat(MAX_KEY_LENGTH), unread]],
    ['a name', (unread: object) => ({ ['a'.repeat(MAX_KEY_LENGTH + 1)]: 1, b: unread })],
  ])('and what comes after too long %s is not even read', (_name, keyWith) => {
    let reads = 0
    const unread = {
      get a() {
        return ++reads
      },
    }
    expect(() => canonical(keyWith(unread))).toThrow('is over')
    expect(reads).toBe(0)
  })
})

test('a label is the key, or its beginning', () => {
  expect(keyLabel(`a${'b'.repeat(79)}`)).toBe(`a${'b'.repeat(79)}`)
  expect(keyLabel(`a${'b'.repeat(80)}`)).toBe(`a${'b'.repeat(76)}…`)
})
