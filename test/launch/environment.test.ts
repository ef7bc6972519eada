/** What a worker gets into its environment. */
import { expect, test } from 'vitest'
import { environmentFor } from '../../src/launch/environment.js'
import { TESTED } from '../support/presets.js'

test('variables lead into the slot; a value with = is set as it is, and is no directory', () => {
  expect(environmentFor([TESTED], '/s/000', {})).toEqual({
    set: { GROUPS_DIR: '/s/000/groups', SINGLES_DIR: '/s/000/singles', TESTED_MODE: 'shared' },
    kept: [],
    directories: ['groups', 'singles'],
  })
})

test.each(['/mine', '', 'shared'])('what the user has set wins, and is named: %j', (value) => {
  const { set, kept, directories } = environmentFor([TESTED], '/s/000', {
    GROUPS_DIR: value,
    TESTED_MODE: value,
  })
  expect(kept).toEqual(['GROUPS_DIR', 'TESTED_MODE'])
  expect(Object.keys(set)).toEqual(['SINGLES_DIR'])
  expect(directories).toEqual(['singles'])
})

test('a variable that is there without a value is not set', () => {
  expect(environmentFor([TESTED], '/s', { GROUPS_DIR: undefined }).kept).toEqual([])
})

test('a variable of two presets is set, named and made once', () => {
  const both = [TESTED, { ...TESTED, name: 'more' }]
  expect(environmentFor(both, '/s', {}).directories).toEqual(['groups', 'singles'])
  expect(environmentFor(both, '/s', { GROUPS_DIR: '/mine' }).kept).toEqual(['GROUPS_DIR'])
})
