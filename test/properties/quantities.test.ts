/** Sizes, durations and numbers that people type. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { secondsToMs, wholeNumber } from '../../src/cli/common-options.js'
import { formatElapsed, formatSize, parseDuration, parseSize } from '../../src/cli/quantities.js'
import { UsageError } from '../../src/cli/usage.js'
import { forAll } from '../support/properties.js'

const POWERS = ['', 'k', 'm', 'g', 't', 'p']
const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const spelled = (text: string): fc.Arbitrary<string> => fc.constantFrom(text, text.toUpperCase())
const space = fc.constantFrom('', ' ', '  ')

test('a size is its number times the power of 1024 that its unit stands for, however it is spelled', () => {
  const ending = fc.constantFrom('', 'b', 'B', 'ib', 'iB', 'IB')
  forAll(
    fc.nat(4_000),
    fc.nat(POWERS.length - 1),
    fc.tuple(space, space, space, ending),
    fc.boolean(),
    (number, power, [before, between, after, end], upper) => {
      const unit = POWERS[power]! + end
      const text = `${before}${number}${between}${upper ? unit.toUpperCase() : unit}${after}`
      expect(parseSize(text, '--x')).toBe(number * 1024 ** power)
    },
  )
})

test('what is printed as a size is read as about as much', () => {
  forAll(fc.nat(2 ** 40), (size) => {
    const read = parseSize(formatSize(size), '--x')!
    expect(Math.abs(read - size)).toBeLessThanOrEqual(0.051 * 1024 ** Math.floor(Math.log2(size + 1) / 10))
  })
})

test('a duration is its number times its unit', () => {
  forAll(
    fc.nat(100_000),
    fc.constantFrom(...Object.keys(UNIT_MS)).chain((unit) => fc.tuple(fc.constant(unit), spelled(unit))),
    space,
    (number, [unit, text], between) => {
      expect(parseDuration(`${number}${between}${text}`, '--x')).toBe(number * UNIT_MS[unit]!)
    },
  )
})

/** One that nobody has thought of either is refused with the option's name, or is a number that can be used. */
test.each<[string, (text: string) => number | undefined]>([
  ['a size', (text) => parseSize(text, '--x')],
  ['a duration', (text) => parseDuration(text, '--x')],
  ['a number of seconds', (text) => secondsToMs(text, '--x')],
  ['a whole number', (text) => wholeNumber(text, '--x', 0)],
])('any text is %s, finite and not negative, or refused with the name of the option', (_name, parse) => {
  const likely = fc
    .array(fc.constantFrom(...'0123456789.-+eEkKmMgGtTbBidhsw xX,_∞٣'.split('')), { maxLength: 12 })
    .map((units) => units.join(''))
  forAll(fc.oneof(likely, fc.string({ unit: 'binary' }), fc.double().map(String)), (text) => {
    let value: number | undefined
    try {
      value = parse(text)
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError)
      expect((error as Error).message).toContain('--x')
      return
    }
    expect(value).toBeGreaterThanOrEqual(0)
    expect(text).toMatch(/[0-9]|Infinity/)
  })
})

test('what has elapsed is minutes and seconds that add up', () => {
  forAll(fc.nat(10 ** 9), (elapsedMs) => {
    const parts = formatElapsed(elapsedMs).split(':').map(Number)
    const seconds = parts.reduce((sum, part) => sum * 60 + part, 0)
    expect(Math.abs(seconds - elapsedMs / 1000)).toBeLessThanOrEqual(0.5)
    for (const part of parts.slice(1)) expect(part).toBeLessThan(60)
  })
})
