/** Preset files: what is taken stays in the preset's own directory, whatever the file says. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLatchError } from '../../src/core/errors.js'
import { environmentFor } from '../../src/launch/environment.js'
import { parsePreset } from '../../src/launch/preset-file.js'
import type { Preset } from '../../src/launch/preset.js'
import { rulesOf } from '../../src/launch/units.js'
import { forAll } from '../support/properties.js'

/** Mostly as it should be, and now and then as it should not. */
const mostly = <T>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: good, weight: 9 }, { arbitrary: bad, weight: 1 })

const name = mostly(
  fc.constant('mine'),
  fc.constantFrom('m', 'Mine', '', '..', 'm/n', '__proto__', 'm'.repeat(41)),
)
const parts = fc.array(fc.constantFrom('a', '*', 'b*c', '[0-9]', '?', 'mine'), { maxLength: 3 })
const badParts = fc.array(
  fc.constantFrom('a', '..', '.', '', '{a,b}', '!(a)', '\\', 'a\0', '**', 'a**', '+(a)', '$', '^'),
  { minLength: 1, maxLength: 4 },
)
const below = mostly(
  parts.map((each) => ['mine', ...each].join('/')),
  badParts.chain((each) => fc.constantFrom(each.join('/'), `mine/${each.join('/')}`, `/${each.join('/')}`)),
)
const list = fc.option(mostly(fc.array(below, { maxLength: 3 }), fc.jsonValue()), { nil: undefined })
const variable = mostly(
  fc.constantFrom('A', 'MY_CACHE'),
  fc.constantFrom('1A', 'A=B', '__proto__', 'constructor'),
)
const meaning = mostly(
  fc.constantFrom('mine', 'mine/a', '=1', '=../x'),
  fc.oneof(below, fc.string(), fc.constant('=\0')),
)
const variables = fc
  .array(fc.tuple(variable as fc.Arbitrary<string>, meaning), { maxLength: 3 })
  .map((pairs) => Object.fromEntries(pairs))
const presets = fc.record({
  name,
  variables: mostly(variables, fc.jsonValue()),
  units: list,
  temporary: list,
  bound: list,
  absolute: list,
  more: fc.constantFrom(undefined, undefined, undefined, 1),
})

function parsed(text: string): Preset | null {
  try {
    return parsePreset(text, 'mine.json')
  } catch (error) {
    expect(isLatchError(error, 'PRESET_INVALID'), String(error)).toBe(true)
    return null
  }
}

test('any text is a preset, or PRESET_INVALID', () => {
  forAll(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), (text) => void parsed(text))
})

test('what is taken sets only variables that can be set, to directories of its own, and publishes only from there', () => {
  let taken = 0
  forAll(presets, (value) => {
    const preset = parsed(JSON.stringify(value))
    if (preset === null) return
    taken++
    expect(preset.name).toMatch(/^[a-z][a-z0-9-]{0,39}$/)
    const { set, directories } = environmentFor([preset], '/slot', {})
    for (const each of Object.keys(set)) expect(each).toMatch(/^[A-Za-z_]\w*$/)
    for (const each of Object.values(set)) expect(each).not.toContain('\0')
    const paths = [...directories, ...preset.units, ...(preset.temporary ?? []), ...(preset.absolute ?? [])]
    for (const each of paths) {
      const [first, ...rest] = each.split('/')
      expect(first).toBe(preset.name)
      for (const part of rest) expect(['', '.', '..']).not.toContain(part)
    }
    expect(() => rulesOf([preset]).unitOf(`${preset.name}/a/b`)).not.toThrow()
  })
  expect(taken).toBeGreaterThan(0)
})
