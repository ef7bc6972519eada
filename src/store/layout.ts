/** Where everything is. The only file that knows a path inside a cache. */
import { basename, dirname, join } from 'node:path'
import { LatchError } from '../core/errors.js'
import { sha256 } from '../host/hash.js'

export const SCHEMA = 1
export const MANIFEST = 'MANIFEST.json'
export const FILES = 'files'

const LIVE = new RegExp(
  `/v${SCHEMA}/(locks/[^/]+\\.lock|stage/[0-9a-f]{32}|` +
    `(?:entries|snapshots/[^/]+)/[0-9a-f]{2}/[0-9a-f]{64}/${MANIFEST})$`,
)

export class Layout {
  readonly top: string
  readonly format: string
  readonly locks: string
  readonly stage: string
  readonly attempts: string
  readonly pins: string
  readonly trash: string
  readonly slots: string
  readonly snapshots: string
  /** Where entries are: the cache's own, or those that make up a snapshot. */
  readonly entries: string
  /** Made by whoever first writes there: a cache without statistics is whole. */
  readonly stats: string
  readonly #byNamespace = new Map<string, Layout>()

  /** @param root absolute, with links resolved */
  constructor(
    readonly root: string,
    namespace?: string,
  ) {
    this.top = join(root, `v${SCHEMA}`)
    this.format = join(this.top, 'format.json')
    this.locks = join(this.top, 'locks')
    this.stage = join(this.top, 'stage')
    this.attempts = join(this.top, 'attempts')
    this.pins = join(this.top, 'pins')
    this.trash = join(this.top, 'trash')
    this.stats = join(this.top, 'stats')
    this.slots = join(this.top, 'slots')
    this.snapshots = join(this.top, 'snapshots')
    this.entries = namespace === undefined ? join(this.top, 'entries') : join(this.snapshots, namespace)
  }

  /** The same cache, with the entries of one snapshot; always the same value. */
  snapshot(namespace: string): Layout {
    const known = this.#byNamespace.get(namespace) ?? new Layout(this.root, namespace)
    this.#byNamespace.set(namespace, known)
    return known
  }

  /** The directories above that of the entries, up to the root. */
  get above(): string[] {
    const above: string[] = []
    for (let path = dirname(this.entries); path.length >= this.root.length; path = dirname(path))
      above.push(path)
    return above
  }

  /** @param name of one of the namespace's slots */
  slot(namespace: string, name: string): string {
    return join(this.slots, namespace, name)
  }

  get directories(): string[] {
    return [this.locks, this.stage, this.entries, this.attempts, this.pins, this.trash]
  }

  /**
   * Which of our files that show life (a lock, a stage, a manifest) another process may have open as `seen`: in
   * another container, the root has another name.
   */
  whichOf(seen: string): string | null {
    const inside = LIVE.exec(seen)?.[1]
    return inside === undefined ? null : `${this.top}/${inside}`
  }

  /** Made when they are first needed. Not the statistics: whatever stands there, the work goes on. */
  get laterDirectories(): string[] {
    return [this.slots, this.snapshots]
  }

  /** Lock path without suffix. */
  lock(name: string): string {
    return `${this.locks}/${name}`
  }

  staged(token: string): string {
    return `${this.stage}/${token}`
  }

  discarded(token: string): string {
    return `${this.trash}/${token}`
  }

  /** @param id SHA-256 of the canonical key, in hex */
  shelf(id: string): string {
    return `${this.entries}/${id.slice(0, 2)}`
  }

  entry(id: string): string {
    return `${this.entries}/${id.slice(0, 2)}/${id}`
  }

  attempt(id: string): string {
    return `${this.attempts}/${id}.json`
  }

  pin(id: string, token: string): string {
    return `${this.pins}/${id}.${token}`
  }

  /** The lock that says that gc is about to remove the entry. */
  closing(id: string): string {
    return `${this.pins}/${id}.closing`
  }
}

/** The directories of a cache in which `path` lies, from the top down. */
export function directoriesAbove(path: string): string[] {
  const directories: string[] = []
  const top = path.lastIndexOf(`/v${SCHEMA}/`)
  for (let end = path.indexOf('/', top + 1); end > 0; end = path.indexOf('/', end + 1))
    directories.push(path.slice(0, end))
  return directories
}

/** Something else stands where one of our directories belongs. */
export function notADirectory(path: string, cause?: unknown): LatchError {
  return new LatchError('UNSAFE_PATH', `A directory of the cache is none: ${path}`, {
    hint: 'A link or a file was put there, not by cachelatch: look at it, then remove it.',
    path,
    cause,
  })
}

/** The directory that keeps the books for what is written into `directory`, outside of a cache. */
export function bookkeepingRoot(directory: string): string {
  return join(directory, '.cachelatch')
}

const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/**
 * The lock name of a path: its last part where that is plain, so that a person, or Python, can write it down; with
 * a hash behind a readable start where it is not.
 */
export function lockName(target: string): string {
  const name = basename(target)
  if (PLAIN_NAME.test(name)) return name
  const readable = name
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .slice(0, 40)
    .replace(/^[._-]+/, '')
  return `${readable || 'name'}-${sha256(name).slice(0, 32)}`
}
