/**
 * One scan of all entries, by their manifests alone. Other processes publish and remove meanwhile: an entry that is
 * there all the time is seen once, one that comes or goes may be seen or not.
 *
 * Memory is bounded by one shelf's names and a batch of manifests, and no batch keeps the event loop for long.
 */
import type { EntryReport } from '../core/report.js'
import pMap from 'p-map'
import { isLatchError } from '../core/errors.js'
import { isCanonical } from '../core/key.js'
import { nextTurn } from '../host/clock.js'
import type { Disk, Stats } from '../host/disk.js'
import { errnoOf, isErrno } from '../host/disk-errors.js'
import { sha256 } from '../host/hash.js'
import { readSmall } from '../host/small-file.js'
import { type Steps, run, step } from '../host/steps.js'
import { isEntryInside, listInside } from './inside.js'
import { type Layout, MANIFEST } from './layout.js'
import { MAX_MANIFEST_BYTES, decodeManifest } from './manifest.js'
import { measure } from './measure.js'

/** Some 3 ms where the calls are made in the calling thread. */
const BATCH = 32
/** Where they are made in libuv's pool: as many as it has threads, and some that wait for the next. */
const CONCURRENCY = 8
const SHELF = /^[0-9a-f]{2}$/
const ID = /^[0-9a-f]{64}$/

export async function* takeInventory(disk: Disk, layout: Layout): AsyncGenerator<EntryReport> {
  for await (const ids of batches(disk, layout)) {
    const items = await pMap(ids, (id) => inspect(disk, layout, id), { concurrency: CONCURRENCY })
    for (const item of items) if (item !== null) yield item
  }
}

/** What stands among the entries and is none: never put there by us. */
export async function findStrangers(disk: Disk, layout: Layout): Promise<string[]> {
  const strangers: string[] = []
  for (const shelf of await listInside(disk, layout.entries)) {
    const path = `${layout.entries}/${shelf.name}`
    if (!SHELF.test(shelf.name) || !shelf.isDirectory()) strangers.push(path)
    else
      for (const { name } of await listInside(disk, path))
        if (!ID.test(name) || !name.startsWith(shelf.name)) strangers.push(`${path}/${name}`)
  }
  return strangers
}

/** `null`: there is none, or an empty directory, which publishing replaces. @param path where it lies, if elsewhere */
export async function inspect(
  disk: Disk,
  layout: Layout,
  id: string,
  path = layout.entry(id),
): Promise<EntryReport | null> {
  let item: EntryReport | null
  try {
    item = await run(disk, examine(path, id))
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    item = { ...blank(path, id), state: 'unreadable', reason: `it cannot be read: ${errnoOf(error)}` }
  }
  if (item?.state === 'damaged') Object.assign(item, await measure(disk, path, (name) => name === MANIFEST))
  return item
}

async function* batches(disk: Disk, layout: Layout): AsyncGenerator<string[]> {
  for (const shelf of await listInside(disk, layout.entries)) {
    if (!SHELF.test(shelf.name) || !shelf.isDirectory()) continue
    const names = (await listInside(disk, `${layout.entries}/${shelf.name}`)).map(({ name }) => name)
    const ids = names.filter((name) => ID.test(name) && name.startsWith(shelf.name))
    for (let start = 0; start < ids.length; start += BATCH) {
      yield ids.slice(start, start + BATCH)
      await nextTurn()
    }
  }
}

/** Paths of directories in `directory`. A link could lead anywhere, and is none. */
export async function directoriesIn(disk: Disk, directory: string): Promise<string[]> {
  const children = await listInside(disk, directory)
  return children.filter((child) => child.isDirectory()).map(({ name }) => `${directory}/${name}`)
}

function* examine(path: string, id: string): Steps<EntryReport | null> {
  let fd: number
  try {
    fd = yield* step('openRead', `${path}/${MANIFEST}`)
  } catch (error) {
    if (isErrno(error, 'ELOOP', 'ENXIO', 'ENOENT', 'ENOTDIR')) return yield* withoutManifest(path, id)
    throw error
  }
  try {
    if (!(yield* isEntryInside(path))) return yield* withoutManifest(path, id)
    const { text, stats } = yield* readSmall(fd, `${path}/${MANIFEST}`, MAX_MANIFEST_BYTES)
    return report(path, id, text, stats)
  } catch (error) {
    if (!isLatchError(error, 'UNSAFE_PATH')) throw error
    return { ...blank(path, id), state: 'damaged', reason: error.message }
  } finally {
    yield* step('close', fd)
  }
}

function* withoutManifest(path: string, id: string): Steps<EntryReport | null> {
  try {
    const stats = yield* step('lstat', path)
    if (stats.isDirectory() && (yield* step('readdir', path)).length === 0) return null
    const reason = stats.isDirectory() ? 'it has no manifest' : 'it is no directory'
    return { ...blank(path, id), usedAt: stats.mtimeMs, state: 'damaged', reason }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}

function report(path: string, id: string, text: string, stats: Stats): EntryReport {
  const manifest = decodeManifest(text)
  const item = { ...blank(path, id), usedAt: stats.mtimeMs }
  if (typeof manifest === 'string') return { ...item, state: 'damaged', reason: manifest }
  const { key, bytes, files, createdAt } = manifest
  if (sha256(key) !== id) return { ...item, state: 'damaged', reason: 'the manifest is that of another key' }
  if (!isCanonical(key)) return { ...item, state: 'damaged', reason: 'the key is no canonical JSON' }
  return { ...item, key, bytes, files: files.length, createdAt, state: 'whole', reason: null }
}

function blank(path: string, id: string): Omit<EntryReport, 'state' | 'reason'> {
  return { id, key: null, path, bytes: 0, files: 0, createdAt: null, usedAt: 0 }
}
