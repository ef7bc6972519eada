/** Keys: two are one exactly when RFC 8785 says so. */
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Key, canonicalKey, isCanonical, keyLabel } from '../../src/core/key.js'
import { forAll } from '../support/properties.js'

/** With names that are those of prototypes, and text that is no Unicode. */
const json = fc.jsonValue({ stringUnit: 'binary' })
const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', 'toString'))
const object = fc.uniqueArray(fc.tuple(name, json), { selector: ([each]) => each, maxLength: 8 })

const canonical = (value: unknown): string => canonicalKey(value as Key)

/** Without a prototype in the way: `{}['__proto__'] = 1` makes no member. */
function objectOf(members: readonly (readonly [string, unknown])[]): object {
  const made = Object.create(null) as Record<string, unknown>
  for (const [each, value] of members)
    Object.defineProperty(made, each, { value, enumerable: true, configurable: true, writable: true })
  return made
}

/** What JSON keeps of a value: no -0, and every object with the same prototype. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

test('a key reads back as what it was', () => {
  forAll(json, (value) => expect(JSON.parse(canonical(value))).toEqual(plain(value)))
})

test('two keys are one exactly when their values are', () => {
  forAll(json, json, (a, b) =>
    expect(canonical(a) === canonical(b)).toBe(isDeepStrictEqual(plain(a), plain(b))),
  )
})

test('the order of members does not count, at any depth', () => {
  forAll(object, fc.infiniteStream(fc.nat()), (members, random) => {
    const shuffled = members
      .map((member) => ({ member, rank: random.next().value as number }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ member }) => member)
    expect(canonical([objectOf(shuffled)])).toBe(canonical([objectOf(members)]))
  })
})

test('a member more, or another value, is another key', () => {
  forAll(object, name, json, (members, added, value) => {
    const others = members.filter(([each]) => each !== added)
    const [without, within] = [objectOf(others), objectOf([...others, [added, value]])]
    expect(canonical(within)).not.toBe(canonical(without))
  })
})

test('it is what an independent implementation of RFC 8785 makes', () => {
  forAll(json, (value) => expect(canonical(value)).toBe(independently(plain(value))))
})

/** RFC 8785, section 3.2, by another way: members as whole texts, in the order of the bytes of their names in UTF-16. */
function independently(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(independently).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(([each, part]) => ({
    order: Buffer.from(each, 'utf16le').swap16(),
    text: `${JSON.stringify(each)}:${independently(part)}`,
  }))
  members.sort((a, b) => Buffer.compare(a.order, b.order))
  return `{${members.map(({ text }) => text).join()}}`
}

test('it is canonical, and no other spelling of it is', () => {
  forAll(json, fc.nat(), fc.constantFrom(' ', '\n', '\t', '\uFEFF', ','), (value, at, more) => {
    // In a list: what a number begins with may be a number.
    const text = canonical([value])
    expect(isCanonical(text)).toBe(true)
    expect(isCanonical(`${text}${more}`)).toBe(false)
    expect(isCanonical(text.slice(0, at % text.length))).toBe(false)
  })
  forAll(fc.string({ unit: 'binary' }), (text) => {
    if (isCanonical(text)) expect(canonical(JSON.parse(text))).toBe(text)
  })
})

test('a label is short, and is the key itself where that is short', () => {
  forAll(fc.string({ unit: 'binary', maxLength: 200, size: 'max' }), (text) => {
    expect(keyLabel(text).length).toBeLessThanOrEqual(80)
    if (text.length <= 80) expect(keyLabel(text)).toBe(text)
    else expect(text.startsWith(keyLabel(text).slice(0, 77))).toBe(true)
  })
})

describe('the vectors of RFC 8785:', () => {
  // Appendix B: IEEE 754 as hexadecimal, and its JSON.
  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('%s is %s', (bits, text) => {
    expect(canonical(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text)
  })

  test.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])('%s is no number', (bits) => {
    expect(() => canonical(Buffer.from(bits, 'hex').readDoubleBE())).toThrow()
  })

  test('section 3.2.2, literals and escapes', () => {
    const value: unknown = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    )
    expect(canonical(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })
})
