import { expect, test } from 'vitest'
import { sha256 } from '../../src/host/hash.js'
import {
  type Manifest,
  MAX_MANIFEST_BYTES,
  decodeManifest,
  encodeManifest,
} from '../../src/store/manifest.js'

const manifest: Manifest = {
  key: '{"model":"𝒳 \\" \\u0000"}',
  createdAt: 1,
  buildMs: 2,
  bytes: 3,
  files: [{ path: 'a/b', size: 3, mode: 0o644, sha256: 'f'.repeat(64) }],
  links: [{ path: 'l', target: 'a/b' }],
  directories: [{ path: 'a', mode: 0o755 }],
}

test('a manifest reads back as it was written, and is JSON for other programs', () => {
  const text = encodeManifest(manifest)
  expect(decodeManifest(text)).toEqual(manifest)
  expect((JSON.parse(text) as { body: unknown }).body).toEqual(manifest)
})

test('no manifest that lost, gained or changed a character is believed', () => {
  const text = encodeManifest(manifest)
  for (let at = 0; at < text.length; at++) {
    expect(decodeManifest(text.slice(0, at)), `cut at ${at}`).toBeTypeOf('string')
    const other = text[at] === '0' ? '1' : '0'
    expect(decodeManifest(text.slice(0, at) + other + text.slice(at + 1)), `changed at ${at}`).toBeTypeOf(
      'string',
    )
    expect(decodeManifest(text.slice(0, at) + text.slice(at + 1)), `lost at ${at}`).toBeTypeOf('string')
  }
  expect(decodeManifest(`${text} `)).toBeTypeOf('string')
})

test.each(['/etc/passwd', '../x', 'a/../../x', '..'])('a manifest that names %s is not believed', (path) => {
  const files = [{ ...manifest.files[0]!, path }]
  expect(decodeManifest(encodeManifest({ ...manifest, files }))).toBe(
    'the manifest names files outside the entry',
  )
})

test('a file name that only looks like a way out is one', () => {
  const files = [{ ...manifest.files[0]!, path: 'a..b/..c' }]
  expect(decodeManifest(encodeManifest({ ...manifest, files }))).toMatchObject({ files })
})

test.each<Partial<Manifest>>([
  { createdAt: 8.64e15 },
  { createdAt: -8.64e15 },
  { directories: [{ path: 'a', mode: 0o7777 }] },
])('what is at the edge of what there is is believed: %j', (change) => {
  expect(decodeManifest(encodeManifest({ ...manifest, ...change }))).toMatchObject(change)
})

test.each<Partial<Manifest>>([
  { createdAt: 8.64e15 + 1 },
  { buildMs: 8.64e15 + 1 },
  { directories: [{ path: 'a', mode: 0o10000 }] },
  { directories: [{ path: 'a', mode: -1 }] },
])('what is past it is not: %j', (change) => {
  expect(decodeManifest(encodeManifest({ ...manifest, ...change }))).toBe('the manifest has an unknown form')
})

test('what is read of a manifest is bounded, by 64 MiB', () => {
  expect(MAX_MANIFEST_BYTES).toBe(67_108_864)
})

test('a manifest of a later schema is not read as one of ours', () => {
  const body = JSON.stringify(manifest)
  expect(decodeManifest(`{"schema":2,"sha256":"${sha256(body)}","body":${body}}\n`)).toBe(
    'the manifest has an unknown form',
  )
})
