/** Manifests: what was encoded is decoded, and nothing else is believed, whoever has made its checksum. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from '../../src/host/hash.js'
import { type Manifest, decodeManifest, encodeManifest } from '../../src/store/manifest.js'
import { forAll } from '../support/properties.js'

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((text) => text.replaceAll(/[/\0]/g, '_'))
  .filter((text) => text !== '.' && text !== '..')
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
const mode = fc.integer({ min: 0, max: 0o7777 })
const files = fc.array(
  fc.record({
    path,
    size: fc.nat(),
    mode,
    sha256: fc.string().map(sha256),
  }),
  { maxLength: 5 },
)

const manifests: fc.Arbitrary<Manifest> = fc
  .record({
    key: fc.jsonValue().map((value) => JSON.stringify(value)),
    createdAt: fc.integer({ min: 0, max: 8.64e15 }),
    buildMs: fc.nat(),
    files,
    links: fc.array(fc.record({ path, target: path }), { maxLength: 3 }),
    directories: fc.array(fc.record({ path, mode }), { maxLength: 3 }),
  })
  .map((some) => Object.assign(some, { bytes: some.files.reduce((sum, { size }) => sum + size, 0) }))

/** With a checksum that is right. */
const forged = (body: unknown): string => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return `{"schema":1,"sha256":"${sha256(text)}","body":${text}}\n`
}

test('what was encoded is decoded', () => {
  forAll(manifests, (manifest) => expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest))
})

test('a text in which anything was changed is none', () => {
  forAll(manifests, fc.nat(), fc.string({ unit: 'binary', maxLength: 3 }), (manifest, at, other) => {
    const text = encodeManifest(manifest)
    const from = at % text.length
    for (const length of [0, 1, 3]) {
      const changed = text.slice(0, from) + other + text.slice(from + length)
      if (changed !== text) expect(decodeManifest(changed)).toBeTypeOf('string')
    }
  })
})

test('any text at all is a manifest, or words that say what is wrong with it', () => {
  forAll(fc.oneof(fc.string({ unit: 'binary' }), fc.json().map(forged), fc.string().map(forged)), (text) => {
    const decoded = decodeManifest(text)
    if (typeof decoded === 'object') expect(encodeManifest(decoded)).toBe(text)
    else expect(decoded).toMatch(/^the manifest /)
  })
})

/** The fields of a manifest, and of what is in its lists. */
const FIELDS = ['key', 'createdAt', 'buildMs', 'bytes', 'files', 'links', 'directories']
const ITEM_FIELDS: Record<string, string[]> = {
  files: ['path', 'size', 'mode', 'sha256'],
  links: ['path', 'target'],
  directories: ['path', 'mode'],
}

const strange = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    -1,
    0.5,
    1e308,
    '',
    [],
    {},
    true,
    [null],
    [7],
    Number.MAX_SAFE_INTEGER + 1,
  ),
  fc.jsonValue(),
)

test('with the right checksum, and one field of another kind, it is none', () => {
  forAll(manifests, fc.constantFrom(...FIELDS), strange, (manifest, field, value) => {
    const decoded = decodeManifest(forged({ ...manifest, [field]: value }))
    if (typeof decoded === 'object') expect(isWellFormed(decoded)).toBe(true)
  })
  forAll(
    manifests,
    fc.constantFrom(...Object.keys(ITEM_FIELDS)),
    fc.nat(),
    strange,
    (manifest, list, at, value) => {
      const items = [
        ...(manifest[list as 'links'] as object[]),
        { path: 'a', size: 0, mode: 0, sha256: '', target: 'b' },
      ]
      const field = ITEM_FIELDS[list]![at % ITEM_FIELDS[list]!.length]!
      items[at % items.length] = { ...items[at % items.length]!, [field]: value }
      const decoded = decodeManifest(forged({ ...manifest, [list]: items }))
      if (typeof decoded === 'object') expect(isWellFormed(decoded)).toBe(true)
    },
  )
})

/** Written anew, from the promises of the type, not from the decoder. */
function isWellFormed({ key, createdAt, buildMs, bytes, files, links, directories }: Manifest): boolean {
  const isIn = (each: string): boolean =>
    typeof each === 'string' &&
    each.length > 0 &&
    each[0] !== '/' &&
    !/(^|\/)\.\.(\/|$)/.test(each) &&
    !each.includes('\0')
  const isSize = (size: number): boolean => Number.isInteger(size) && size >= 0 && size <= 2 ** 53 - 1
  const isTime = (time: number): boolean => !Number.isNaN(new Date(time).getTime())
  const isMode = (each: number): boolean => isSize(each) && each < 0o10000
  let sum = 0
  for (const { size } of files) sum += size
  return (
    typeof key === 'string' &&
    typeof createdAt === 'number' &&
    isTime(createdAt) &&
    typeof buildMs === 'number' &&
    isTime(buildMs) &&
    sum === bytes &&
    isSize(bytes) &&
    files.every((f) => isIn(f.path) && isSize(f.size) && isMode(f.mode) && typeof f.sha256 === 'string') &&
    links.every((l) => isIn(l.path) && typeof l.target === 'string') &&
    directories.every((d) => isIn(d.path) && isMode(d.mode))
  )
}
