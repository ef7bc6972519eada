/**
 * The manifest: what an entry consists of, written last, with its own checksum.
 *
 *   {"schema":1,"sha256":"<64 hex>","body":{…}}\n
 *
 * The checksum is that of the bytes between `"body":` and the closing `}\n`: it is checked before any of them is
 * parsed, and needs no canonical form. It tells damage, not malice: whoever may write here can make one that is right.
 * So what was parsed is looked at as well, since gc goes by its sizes, and seeding by its paths.
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
  const manifest = parse(body)
  if (!isManifest(manifest)) return 'the manifest has an unknown form'
  const { files, links, directories } = manifest
  return [files, links, directories].some((list) => list.some(({ path }) => leadsOut(path)))
    ? 'the manifest names files outside the entry'
    : manifest
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

type Fields = Record<string, unknown>

function isManifest(value: unknown): value is Manifest {
  if (!isObject(value)) return false
  const { key, createdAt, buildMs, bytes, files, links, directories } = value
  return (
    typeof key === 'string' &&
    isTime(createdAt) &&
    isTime(buildMs) &&
    isListOf(files, ({ size, mode, sha256: hash }) => isCount(size) && isMode(mode) && isText(hash)) &&
    isListOf(links, ({ target }) => isText(target)) &&
    isListOf(directories, ({ mode }) => isMode(mode)) &&
    bytes === (files as ManifestFile[]).reduce((sum, { size }) => sum + size, 0)
  )
}

/** Things with a path. */
function isListOf(list: unknown, isOne: (item: Fields) => boolean): boolean {
  return Array.isArray(list) && list.every((item) => isObject(item) && isText(item['path']) && isOne(item))
}

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const isText = (value: unknown): boolean => typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
/** Of those that a Date knows; and lengths of time. */
const isTime = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) <= 8.64e15
const isMode = (value: unknown): boolean => isCount(value) && (value as number) <= 0o7777

function leadsOut(path: string): boolean {
  if (path === '' || path.startsWith('/') || path.includes('\0')) return true
  return path.includes('..') && path.split('/').includes('..')
}
