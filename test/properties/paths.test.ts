/** Absolute paths inside files, turned into a token and back; globs; lock names. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { directDisk } from '../../src/host/disk.js'
import { SLOT_TOKEN, copyRewritten } from '../../src/launch/rewrite.js'
import { rulesOf } from '../../src/launch/units.js'
import { directoriesAbove, lockName } from '../../src/store/layout.js'
import { forAll, forAllAsync } from '../support/properties.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()

const segment = fc.oneof(
  fc.string({ minLength: 1, maxLength: 6 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
  fc.constantFrom('000', '$&', '(1+1)[a]', 'cäche', "it's", 'a"b', 'back\\slash', '@', '0'),
)
const root = fc
  .array(
    segment.map((text) => text.replaceAll(/[/\0]/g, '_')),
    { minLength: 2, maxLength: 4 },
  )
  .map((names) => `/${names.join('/')}/017`)

/** What may stand around a path in a file of a compiler. */
const text = fc.array(
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5 }).map((each) => ({ kind: 'text' as const, text: each })),
    fc
      .constantFrom('', '/x', '"', '/groups/k', '\n', ' ')
      .map((each) => ({ kind: 'path' as const, text: each })),
    fc.constantFrom('0', 'a', '_', '-b', '9/x').map((each) => ({ kind: 'other' as const, text: each })),
  ),
  { maxLength: 12 },
)
type Pieces = { kind: 'text' | 'path' | 'other'; text: string }[]

/** `path` and `other`: after the slot's own path; what follows in `other` makes it a longer name. */
function fileOf(pieces: Pieces, slot: string): string {
  return pieces.map(({ kind, text: each }) => (kind === 'text' ? each : slot + each)).join('|')
}

async function rewritten(content: Buffer, from: string, to: string): Promise<Buffer> {
  const directory = scratch()
  const [source, target] = [join(directory, 'source'), join(directory, 'target')]
  writeFileSync(source, content)
  await copyRewritten(directDisk, source, target, { from, to })
  return readFileSync(target)
}

test('there and back again, a file is what it was; in another slot it names that one', async () => {
  await forAllAsync(fc.tuple(text, root, root), async ([pieces, slot, other]) => {
    const file = Buffer.from(fileOf(pieces, slot))
    if (file.includes('@cachelatch-slot')) return
    const published = await rewritten(file, slot, SLOT_TOKEN)
    expect(await rewritten(published, SLOT_TOKEN, slot)).toEqual(file)
    if (slot.includes(other) || other.includes(slot)) return
    const moved = pieces.map(({ kind, text: each }) =>
      kind === 'text' ? each : (kind === 'path' ? other : slot) + each,
    )
    expect(await rewritten(published, SLOT_TOKEN, other)).toEqual(Buffer.from(moved.join('|')))
  })
})

test('what only begins like the path of the slot is not touched', async () => {
  await forAllAsync(fc.tuple(text, root), async ([pieces, slot]) => {
    const file = Buffer.from(
      fileOf(
        pieces.filter(({ kind }) => kind !== 'path'),
        slot,
      ),
    )
    expect(await rewritten(file, slot, SLOT_TOKEN)).toEqual(file)
  })
})

test('bytes that are no text are kept', async () => {
  await forAllAsync(fc.tuple(fc.uint8Array({ maxLength: 64 }), root), async ([bytes, slot]) => {
    const file = Buffer.concat([bytes, Buffer.from(`|${slot}/x|`), bytes])
    const expected = Buffer.concat([bytes, Buffer.from(`|${SLOT_TOKEN}/x|`), bytes])
    expect(await rewritten(file, slot, SLOT_TOKEN)).toEqual(expected)
  })
})

const names = fc.array(
  fc.constantFrom('a', 'b', 'ab', 'a.tmp', 'x1', 'tmp.b', '.lock', 'a+b', '[a]', '{a}'),
  {
    minLength: 1,
    maxLength: 4,
  },
)
const pattern = fc
  .array(fc.constantFrom('a', '*', 'a*', '*.tmp', '?', 'x[0-9]', 'tmp.*', 'a?'), {
    minLength: 1,
    maxLength: 3,
  })
  .chain((parts) => fc.constantFrom(parts, ['**', ...parts], [...parts, '**']))

/** The promises of preset.ts, name by name. */
function matches(parts: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = parts
  if (first === undefined) return path.length === 0
  if (first === '**') return path.some((_, at) => matches(rest, path.slice(at))) || matches(rest, [])
  const [name, ...others] = path
  return name !== undefined && matchesName(first, name) && matches(rest, others)
}

function matchesName(glob: string, name: string): boolean {
  const source = glob.split(/(\*|\?|\[0-9\])/).map((part) => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    return part === '[0-9]' ? '[0-9]' : part.replaceAll(/[.+]/g, '\\$&')
  })
  return new RegExp(`^${source.join('')}$`).test(name)
}

const presetOf = (more: object): Parameters<typeof rulesOf>[0][number] => ({
  name: 'p',
  about: '',
  variables: {},
  units: [],
  checked: '',
  ...more,
})

test('a pattern matches what its description says, and what lies below', () => {
  forAll(pattern, names, (parts, path) => {
    const rules = rulesOf([presetOf({ temporary: [parts.join('/')] })])
    const isLeftOut = path.some((_, at) => matches(parts, path.slice(0, at + 1)))
    expect(rules.unitOf(path.join('/')) === null).toBe(isLeftOut)
  })
})

test('a file belongs to the unit that its first names are, or to itself', () => {
  const unit = fc.array(fc.constantFrom('a', '*', 'a*', '?', 'x[0-9]'), { minLength: 1, maxLength: 3 })
  forAll(unit, names, (parts, path) => {
    const head = path.slice(0, parts.length)
    const isIn = head.length === parts.length && head.every((each, at) => matchesName(parts[at]!, each))
    const rules = rulesOf([presetOf({ units: [parts.join('/')] })])
    expect(rules.unitOf(path.join('/'))).toBe((isIn ? head : path).join('/'))
  })
})

test('every path has a lock name that is one plain name, and two names of files never share one', () => {
  const base = fc
    .oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ minLength: 1, maxLength: 300 }))
    .filter((each) => !/[/\0]/.test(each) && each !== '.' && each !== '..')
  forAll(base, base, (a, b) => {
    expect(lockName(`/x/${a}`)).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)
    if (a !== b) expect(lockName(`/x/${a}`)).not.toBe(lockName(`/x/${b}`))
  })
})

test('the directories above a path begin with the top of its cache, whatever lies above that', () => {
  const above = fc.array(fc.constantFrom('v1', 'v2', 'a', 'v11', '.cachelatch'), { maxLength: 3 })
  forAll(
    above,
    fc.array(fc.constantFrom('a', 'v12', 'b.c'), { minLength: 1, maxLength: 4 }),
    (before, after) => {
      const top = ['', ...before, 'v1'].join('/')
      const expected = after.map((_, at) => [top, ...after.slice(0, at)].join('/'))
      expect(directoriesAbove([top, ...after].join('/'))).toEqual(expected)
    },
  )
})
