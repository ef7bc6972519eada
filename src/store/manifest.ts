/**
 * The manifest: what an entry consists of, written last, with its own checksum.
 *
 *   {"schema":1,"sha256":"<64 hex>","body":{…}}\n
 *
 * The checksum is that of the bytes between `"body":` and the closing `}\n`: it is checked before any of them is
 * parsed, and needs no canonical form.
 */
import { sha256 } from '../host/hash.js'
import { SCHEMA } from './layout.js'

export interface ManifestFile {
  path: string
  size: number
  mode: number
  sha256: string
}

export interface Manifest {
  /** Canonical JSON of the key. */
  key: string
  /** Milliseconds since 1970 on the builder's clock. */
  createdAt: number
  /** How long the build took, in milliseconds: what a hit saves. */
  buildMs: number
  bytes: number
  files: ManifestFile[]
  links: { path: string; target: string }[]
  directories: { path: string; mode: number }[]
}

/** A manifest is read whole: this is some 500 000 files. */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024

const HEAD = `{"schema":${SCHEMA},"sha256":"`
const MIDDLE = '","body":'
const TAIL = '}\n'
const BODY_START = HEAD.length + 64 + MIDDLE.length

export function encodeManifest(manifest: Manifest): string {
  const body = JSON.stringify(manifest)
  return `${HEAD}${sha256(body)}${MIDDLE}${body}${TAIL}`
}

/** The manifest, or in words what is wrong with the text. */
export function decodeManifest(text: string): Manifest | string {
  if (!text.startsWith(HEAD) || !text.startsWith(MIDDLE, BODY_START - MIDDLE.length))
    return 'the manifest has an unknown form'
  if (!text.endsWith(TAIL)) return 'the manifest is truncated'
  const body = text.slice(BODY_START, -TAIL.length)
  if (text.slice(HEAD.length, HEAD.length + 64) !== sha256(body))
    return 'the manifest does not match its checksum'
  // What carries our checksum was written by us: its shape needs no second look, its paths do.
  const manifest = JSON.parse(body) as Manifest
  return manifest.files.some(({ path }) => leadsOut(path))
    ? 'the manifest names files outside the entry'
    : manifest
}

function leadsOut(path: string): boolean {
  return path.startsWith('/') || (path.includes('..') && path.split('/').includes('..'))
}
