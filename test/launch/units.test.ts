/** Which file belongs to which unit, by the rules of presets. */
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { directDisk } from '../../src/host/disk.js'
import {
  type Units,
  fingerprintOf,
  oldestFirst,
  rulesOf,
  scanUnit,
  visitUnits,
} from '../../src/launch/units.js'
import { TESTED } from '../support/presets.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const rules = rulesOf([TESTED])

function slotWith(...paths: string[]): string {
  const slot = scratch('slot')
  for (const path of paths) {
    mkdirSync(dirname(join(slot, path)), { recursive: true })
    writeFileSync(join(slot, path), path)
  }
  return slot
}

async function filesIn(slot: string): Promise<Units> {
  const units: Units = new Map()
  await visitUnits(directDisk, slot, rules, (unit, files) => {
    expect(units.has(unit), `${unit} is visited once`).toBe(false)
    units.set(unit, files)
  })
  return units
}

/** Paths of files by unit. */
async function unitsIn(slot: string): Promise<Record<string, string[]>> {
  const units = await filesIn(slot)
  return Object.fromEntries([...units].map(([unit, files]) => [unit, files.map(({ path }) => path)]))
}

test.each([
  ['groups/a/kernel.bin', 'groups/a'],
  ['groups/a/b/c/kernel.bin', 'groups/a'],
  ['groups/single', 'groups/single'],
  ['groups2/a/kernel.bin', 'groups2/a/kernel.bin'],
  ['xgroups/a/kernel.bin', 'xgroups/a/kernel.bin'],
  ['deep/hash/rank_0_0/x/y', 'deep/hash/rank_0_0'],
  ['deep/hash/rank_', 'deep/hash/rank_'],
  ['deep/hash/other/x', 'deep/hash/other/x'],
  ['deep/hash', 'deep/hash'],
  ['groups/a+(b)[c]^$.{1}|?\\/x', 'groups/a+(b)[c]^$.{1}|?\\'],
  ['groups/two\nlines/x', 'groups/two\nlines'],
  ['groups/ä ö/x', 'groups/ä ö'],
  ['__proto__', '__proto__'],
])('%j is of the unit %j', (path, unit) => {
  expect(rules.unitOf(path)).toBe(unit)
})

test.each([
  'groups/a/x.tmp',
  'groups/tmp.123/x',
  'tmp.',
  '.lock',
  'groups/a/.nfs00000000000a0b0c',
  'x.tmp/y',
])('%j is temporary', (path) => {
  expect(rules.unitOf(path)).toBeNull()
})

test.each(['groups/a/xtmp', 'groups/a/tmp', 'x.tmp2', 'y.lock', 'groups/.nfsnotes/x'])(
  '%j is not temporary',
  (path) => {
    expect(rules.unitOf(path)).not.toBeNull()
  },
)

test('a dot in a rule means itself', () => {
  const odd = rulesOf([{ ...TESTED, units: ['c/a.b/*'], temporary: ['t.m'], absolute: ['x/y.json'] }])
  expect(odd.unitOf('c/a.b/u/x')).toBe('c/a.b/u')
  expect(odd.unitOf('c/aXb/u/x')).toBe('c/aXb/u/x')
  expect(odd.unitOf('t.m')).toBeNull()
  expect(odd.unitOf('txm')).toBe('txm')
  expect(odd.isAbsolute('x/y.json')).toBe(true)
  expect(odd.isAbsolute('x/yXjson')).toBe(false)
})

test('files with absolute paths are those of the rule, and not what lies below one of that name', () => {
  expect(rules.isAbsolute('groups/a/index.json')).toBe(true)
  expect(rules.isAbsolute('groups/a/index.json/x')).toBe(false)
  expect(rules.isAbsolute('groups/a/b/index.json')).toBe(false)
})

test('of several presets, the first rule that matches counts', () => {
  const both = rulesOf([TESTED, { ...TESTED, units: ['groups/a/*', 'more/*'], temporary: ['more/**/*~'] }])
  expect(both.unitOf('groups/a/b')).toBe('groups/a')
  expect(both.unitOf('more/a/b')).toBe('more/a')
  expect(both.unitOf('more/a/b~')).toBeNull()
  expect(both.unitOf('more/a/b.tmp')).toBeNull()
})

test('a slot is looked at as a whole, or one unit of it, with the same result', async () => {
  const slot = slotWith(
    'groups/b/2',
    'groups/b/1',
    'groups/b/sub/3',
    'groups/c',
    'lone',
    'groups/b/x.tmp',
    '.lock',
  )
  const expected = {
    'groups/b': ['groups/b/1', 'groups/b/2', 'groups/b/sub/3'],
    'groups/c': ['groups/c'],
    lone: ['lone'],
  }
  expect(await unitsIn(slot)).toEqual(expected)
  for (const [unit, files] of await filesIn(slot))
    expect(await scanUnit(directDisk, slot, unit, rules)).toEqual(files)
  expect(await scanUnit(directDisk, slot, 'groups/none', rules)).toEqual([])
})

test('what is neither a file nor a link is no part of a unit; links are not followed', async () => {
  const slot = slotWith('groups/a/file')
  const outside = slotWith('secret')
  execFileSync('mkfifo', [join(slot, 'groups/a/fifo')])
  symlinkSync(outside, join(slot, 'groups/a/out'))
  const server = createServer().listen(join(slot, 'socket'))
  try {
    expect(await unitsIn(slot)).toEqual({ 'groups/a': ['groups/a/file', 'groups/a/out'] })
  } finally {
    server.close()
  }
})

test('a slot that is not there has no units', async () => {
  expect(await unitsIn(join(scratch(), 'none'))).toEqual({})
})

test('a fingerprint tells another size, another time, another name and another file', async () => {
  const slot = slotWith('groups/a/1', 'groups/a/2')
  const print = async (): Promise<string> =>
    fingerprintOf(await scanUnit(directDisk, slot, 'groups/a', rules))
  const seen = new Set([await print()])
  const file = join(slot, 'groups/a/1')
  writeFileSync(file, 'longer than before')
  utimesSync(file, 1, 1)
  seen.add(await print())
  utimesSync(file, 1, 2)
  seen.add(await print())
  writeFileSync(join(slot, 'groups/a/3'), '')
  seen.add(await print())
  rmSync(join(slot, 'groups/a/3'))
  expect(seen.has(await print())).toBe(true)
  expect(seen.size).toBe(4)
})

test('units come in the order of the newest file of each, of which there may be 200 000', () => {
  const file = (path: string, mtimeMs: number) => ({ path, kind: 'file' as const, size: 1, mtimeMs })
  const many = Array.from({ length: 200_000 }, (_, n) => file(`m/${n}`, n === 7 ? 50 : 1))
  const units: Units = new Map([
    ['late', [file('late', 60)]],
    ['m', many],
    ['early', [file('early/a', 40), file('early/b', 20)]],
  ])
  expect(oldestFirst(units).map(([unit]) => unit)).toEqual(['early', 'm', 'late'])
})
