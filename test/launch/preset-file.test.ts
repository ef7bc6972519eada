import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { presetsNamed } from '../../src/cli/presets.js'
import { realHost } from '../../src/host/host.js'
import { parsePreset, readPreset } from '../../src/launch/preset-file.js'
import { PRESETS, findPresets } from '../../src/launch/presets/index.js'
import { rulesOf } from '../../src/launch/units.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const minimal = { name: 'mine', variables: { MY_CACHE: 'mine' } }

test.each(PRESETS.map((preset) => [preset.name, preset]))(
  '%s has the form that is asked of users',
  (name, preset) => {
    expect(parsePreset(JSON.stringify(preset), name)).toEqual(preset)
  },
)

test('the least that a preset is: a name and a variable; all its files are one unit', () => {
  const preset = parsePreset(JSON.stringify(minimal), 'mine.json')
  expect(preset).toMatchObject(minimal)
  expect(rulesOf([preset]).unitOf('mine/a/b')).toBe('mine')
})

test('a preset of the user stands in for ours of the same name, and may include ours', () => {
  const own = parsePreset(
    JSON.stringify({ name: 'jax', variables: { A: 'jax/deep' }, includes: ['triton'] }),
    'jax.json',
  )
  const found = findPresets([own, 'jax'])
  expect(found.map(({ name }) => name)).toEqual(['jax', 'triton'])
  expect(found[0]).toBe(own)
})

const variables = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`A${n}`, 'mine']))

const changed = (change: object): string => JSON.stringify({ ...minimal, ...change })

test.each([
  ['not JSON', '{"name":', /it is not JSON/],
  ['no object', '"vllm"', /it is not an object/],
  ['no name', JSON.stringify({ variables: {} }), /name is missing/],
  ['an unknown key', changed({ unit: [] }), /unit is not known/],
  ['a name with a slash', changed({ name: '../x' }), /name is to be lower case/],
  ['a name with more after it', changed({ name: 'mine!' }), /name is to be lower case/],
  ['a name of 41 letters', changed({ name: 'm'.repeat(41) }), /name is to be lower case/],
  ['a directory above', changed({ variables: { A: '../b' } }), /variables\.A .*without/],
  ['an absolute directory', changed({ variables: { A: '/etc' } }), /variables\.A .*without/],
  ['a directory through ..', changed({ variables: { A: 'mine/../../c' } }), /variables\.A .*without/],
  [
    'a directory of another preset',
    changed({ variables: { A: 'jax' } }),
    /'jax' is not in .*own directory, mine\//,
  ],
  ['a pattern for another preset', changed({ temporary: ['jax/*'] }), /'jax\/\*' is not in/],
  ['a pattern for all presets', changed({ bound: ['**/x'] }), /'\*\*\/x' is not in/],
  ['a variable with =', changed({ variables: { 'A=B': '=1' } }), /no name of a variable/],
  ['a value with a NUL', changed({ variables: { A: '=\0' } }), /variables\.A contains a NUL/],
  ['a pattern above', changed({ temporary: ['mine/../*'] }), /temporary\.0 .*without/],
  ['a pattern with braces', changed({ bound: ['mine/{a,b}'] }), /bound\.0 may have only/],
  ['a pattern for ever', changed({ bound: ['mine/a*a*a*a*a*b'] }), /bound\.0 has more than three/],
  [
    'a pattern for ever, with nothing after its stars',
    changed({ bound: ['mine/a*b*c*d*'] }),
    /more than three/,
  ],
  ['** more than twice', changed({ bound: ['mine/**/a/**/**'] }), /or two \*\*/],
  ['** in a unit', changed({ units: ['mine/**'] }), /units\.0 .*cannot stand/],
  ['a directory that ends as a value begins', changed({ variables: { A: '/=' } }), /variables\.A .*without/],
  ['a number for a list', changed({ temporary: 3 }), /temporary is to be a list/],
  ['too many', changed({ temporary: Array(101).fill('mine/a') }), /temporary has more than 100/],
  ['too many variables', changed({ variables: variables(101) }), /variables has more than 100/],
  ['too long', changed({ about: 'x'.repeat(201) }), /about is longer than 200/],
])('%s is refused, and the message says where', (_name, text, message) => {
  expect(() => parsePreset(text, 'mine.json')).toThrowError(message)
  expect(() => parsePreset(text, 'mine.json')).toThrowError(/^mine\.json is no preset/)
})

test.each([
  ['a value that is no path', changed({ variables: { A: '=/a//b' } })],
  ['as many variables as may be', changed({ variables: variables(100) })],
  ['as many patterns as may be', changed({ temporary: Array(100).fill('mine/a') })],
  ['as many stars as may be', changed({ bound: ['mine/a*b*c*d', 'mine/**/a/**'] })],
  ['a name of 40 letters', JSON.stringify({ name: 'm'.repeat(40), variables: {} })],
])('%s is taken as it is', (_name, text) => {
  expect(parsePreset(text, 'mine.json')).toMatchObject(JSON.parse(text) as object)
})

test('a prototype in the file reaches nothing', () => {
  const text =
    '{"name":"mine","variables":{"A":"mine","__proto__":"=x","constructor":"=y"},"__proto__":{"bound":["a"]}}'
  expect(() => parsePreset(text, 'mine.json')).toThrowError(/__proto__ is not known/)
  const without = parsePreset(text.replace(',"__proto__":{"bound":["a"]}', ''), 'mine.json')
  expect(Object.entries(without.variables)).toEqual([['A', 'mine']])
  expect(({} as Record<string, unknown>)['bound']).toBeUndefined()
})

test('a file that is not there, is too large, or is no file is refused with its path', async () => {
  const directory = scratch()
  const large = join(directory, 'large.json')
  writeFileSync(large, JSON.stringify(minimal).padEnd(65_537))
  const folder = join(directory, 'folder')
  mkdirSync(folder)
  for (const path of [join(directory, 'none.json'), join(directory, 'no/none.json'), large, folder])
    await expect(readPreset(realHost(), path)).rejects.toMatchObject({
      code: 'PRESET_INVALID',
      path,
      hint: /\w/,
      message: expect.stringMatching(/ENOENT|is 65537 bytes long|no regular file|EISDIR/) as string,
    })
  const good = join(directory, 'good.json')
  writeFileSync(good, JSON.stringify(minimal).padEnd(65_536))
  await expect(readPreset(realHost(), good)).resolves.toMatchObject(minimal)
  await expect(presetsNamed(['jax,triton', good])).resolves.toMatchObject(['jax', 'triton', minimal])
})
