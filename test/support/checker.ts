/**
 * Whether what lies in a cache may lie there, by its documented form alone: nothing of the library is used. Contents
 * describe themselves (test/support/self-describing.ts).
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readDescribed, readGroup } from './self-describing.js'

interface Manifest {
  key: string
  files: { path: string; size: number; sha256: string }[]
}

/**
 * @param isPlanted damage of the test's own making, which is there until the library finds it
 * @throws for whatever is partial, mixed or torn under a final name
 */
export function checkCache(root: string, isPlanted: (entry: string) => boolean = () => false): void {
  const top = join(root, 'v1')
  if (!existsSync(top)) return
  const { schema, locker } = JSON.parse(readFileSync(join(top, 'format.json'), 'utf8')) as {
    schema: number
    locker: string
  }
  if (schema !== 1 || typeof locker !== 'string')
    throw new Error(`${top}/format.json is not what it should be`)
  for (const entry of entriesIn(root)) if (!isPlanted(entry)) checkEntry(entry)
}

/** Of the cache and of all snapshots. */
export function entriesIn(root: string): string[] {
  const top = join(root, 'v1')
  return [join(top, 'entries'), ...children(join(top, 'snapshots'))].flatMap(children).flatMap(children)
}

/** @throws when it is not whole, or where another belongs */
export function checkEntry(path: string): void {
  const text = readFileSync(join(path, 'MANIFEST.json'), 'utf8')
  const [, sha256, body = ''] =
    /^\{"schema":1,"sha256":"([0-9a-f]{64})","body":(\{.*\})\}\n$/s.exec(text) ?? []
  if (sha256 !== hashOf(body)) throw new Error(`${path} has a manifest that is not whole`)
  const { key, files } = JSON.parse(body) as Manifest
  if (basename(path) !== hashOf(key)) throw new Error(`${path} is not where ${key} belongs`)
  const there = below(join(path, 'files'))
  const named = files.map((file) => file.path).sort()
  if (there.join() !== named.join()) throw new Error(`${path} has ${there.join()}, not ${named.join()}`)
  for (const file of files) {
    const bytes = readFileSync(join(path, 'files', file.path))
    if (bytes.length !== file.size || hashOf(bytes) !== file.sha256)
      throw new Error(`${file.path} in ${path} is not what was published`)
  }
  checkContents(join(path, 'files'), (JSON.parse(key) as { unit?: string }).unit)
}

/** Of a unit, a file or the files that belong together; else all of the entry's. */
function checkContents(directory: string, unit: string | undefined): void {
  const path = unit === undefined ? directory : join(directory, unit)
  if (statSync(path).isDirectory()) checkDirectory(path, unit)
  else readDescribed(path, unit ?? 'entry')
}

/** The id of the file; `null`: there is none. @throws when it is not whole */
export function checkFile(path: string): string | null {
  return existsSync(path) ? readDescribed(path, 'file').id : null
}

/** The id of the directory's files; `null`: there is none. @throws when they are not whole, or mixed */
export function checkDirectory(path: string, unit = 'entry'): string | null {
  if (!existsSync(path)) return null
  const id = readGroup(path, unit)
  if (id === null) throw new Error(`${path} is empty`)
  return id
}

const MAY_STAY =
  /^v1(\/(format\.json|(attempts|pins|stage|trash)|locks(\/[^/]+\.lock)?|(entries|stats|snapshots|slots)(\/.*)?))?$/

/** What a gc has no right to leave: stages, trash, drafts, records and candidates of locks, marks that were torn. */
export function leftovers(root: string): string[] {
  const torn = /^v1\/slots\/[^/]+\/[^/]+\.json\./
  return (readdirSync(root, { recursive: true }) as string[]).filter(
    (path) => !MAY_STAY.test(path) || torn.test(path),
  )
}

function children(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function below(directory: string): string[] {
  return (readdirSync(directory, { recursive: true }) as string[])
    .filter((path) => !statSync(join(directory, path)).isDirectory())
    .sort()
}

function hashOf(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
