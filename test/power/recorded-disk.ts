/**
 * What a disk was told, call by call: a file has versions, and a name in a directory has too. fsync of the file, or of
 * the directory, rules out all but the newest of the moment at which it began.
 */
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A moment: the number of calls before it. */
export type Moment = number

/** What was done before it began is on the device once it has ended; what was done meanwhile may be. */
export interface Sync {
  began: Moment
  ended: Moment
}

export interface Version<T> {
  at: Moment
  value: T
}

export interface File {
  kind: 'file'
  versions: Version<Buffer>[]
  syncs: Sync[]
}

export interface Directory {
  kind: 'directory'
  names: Map<string, Version<Node | null>[]>
  syncs: Sync[]
}

interface Link {
  kind: 'link'
  target: string
}

/** Two names that took each other's places in one call. */
export interface Exchange {
  at: Moment
  places: readonly { directory: Node | null; name: string }[]
}

export type Node = File | Directory | Link

export class RecordedDisk {
  readonly root: Directory
  readonly #files = new Map<number, Node>()
  readonly syncs: Sync[] = [{ began: 0, ended: 0 }]
  readonly exchanges: Exchange[] = []
  now: Moment = 0

  /** @param top what is there now is on the device */
  constructor(private readonly top: string) {
    this.root = load(top) as Directory
  }

  /** A call that was carried out, in the words of Node's `fs`. */
  observe(name: string, args: readonly unknown[], result: unknown, began: Moment): void {
    const [first, second] = args
    if (typeof first === 'number') return this.#observeDescriptor(name, first, args, { result, began })
    const path = String(name === 'symlink' ? second : first)
    if (!path.startsWith(this.top) && this.#openDirectory(path) === undefined) return
    if (name === 'open') return this.#open(path, result as number)
    const change = this.#changes[name]
    if (change === undefined || result === false) return
    this.now++
    change(path, String(name === 'symlink' ? first : second))
  }

  readonly #changes: Record<string, (path: string, other: string) => void> = {
    mkdir: (path) => this.#set(path, { kind: 'directory', names: new Map(), syncs: [] }),
    symlink: (path, target) => this.#set(path, { kind: 'link', target }),
    link: (path, other) => this.#set(other, this.#at(path)),
    unlink: (path) => this.#set(path, null),
    rmdir: (path) => this.#set(path, null),
    rm: (path) => this.#set(path, null),
    copyFile: (_path, other) => this.#set(other, this.#newFile(readFileSync(other))),
    rename: (path, other) => {
      const moved = this.#at(path)
      this.#set(path, null)
      this.#set(other, moved)
    },
    renameat2: (path, other) => {
      const [a, b] = [this.#at(path), this.#at(other)]
      this.#set(path, b)
      this.#set(other, a)
      const places = [path, other].map((each) => ({ directory: this.#parentOf(each), name: basename(each) }))
      this.exchanges.push({ at: this.now, places })
    },
  }

  #newFile(content: Buffer): File {
    return {
      kind: 'file',
      versions: [
        { at: this.now, value: Buffer.alloc(0) },
        { at: this.now, value: content },
      ],
      syncs: [],
    }
  }

  #open(path: string, fd: number): void {
    let node = this.#at(path)
    if (node === null) {
      this.now++
      node = { kind: 'file', versions: [{ at: this.now, value: Buffer.alloc(0) }], syncs: [] }
      this.#set(path, node)
    }
    this.#files.set(fd, node)
  }

  #observeDescriptor(
    name: string,
    fd: number,
    args: readonly unknown[],
    { result, began }: { result: unknown; began: Moment },
  ): void {
    const node = this.#files.get(fd)
    if (name === 'close') this.#files.delete(fd)
    if (node === undefined || node.kind === 'link') return
    if (name === 'fsync') {
      const sync = { began, ended: ++this.now }
      node.syncs.push(sync)
      this.syncs.push(sync)
    }
    if (name !== 'write' || node.kind !== 'file') return
    const { value } = node.versions.at(-1)!
    node.versions.push({ at: ++this.now, value: Buffer.concat([value, writtenOf(args, result as number)]) })
  }

  #at(path: string): Node | null {
    if (path === this.top) return this.root
    const parent = this.#parentOf(path)
    if (parent?.kind !== 'directory') return null
    return parent.names.get(basename(path))?.at(-1)?.value ?? null
  }

  #parentOf(path: string): Node | null {
    return this.#openDirectory(path) ?? this.#at(dirname(path))
  }

  /** Trees are removed through the descriptors of their directories (src/host/trees.ts). */
  #openDirectory(path: string): Node | undefined {
    return this.#files.get(Number(/^\/proc\/self\/fd\/(\d+)\/[^/]+$/.exec(path)?.[1]))
  }

  #set(path: string, node: Node | null): void {
    const parent = this.#parentOf(path)
    if (parent?.kind !== 'directory') throw new Error(`Nothing is known of the directory of ${path}`)
    const versions = parent.names.get(basename(path)) ?? [{ at: 0, value: null }]
    versions.push({ at: this.now, value: node })
    parent.names.set(basename(path), versions)
  }
}

function load(path: string): Node {
  const stats = lstatSync(path)
  if (stats.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) }
  if (stats.isFile())
    return { kind: 'file', versions: [{ at: 0, value: readFileSync(path) }], syncs: [{ began: 0, ended: 0 }] }
  const names = readdirSync(path).map((name): [string, Version<Node>[]] => [
    name,
    [{ at: 0, value: load(join(path, name)) }],
  ])
  return { kind: 'directory', names: new Map(names), syncs: [{ began: 0, ended: 0 }] }
}

function writtenOf([, bytes, offset]: readonly unknown[], count: number): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes).subarray(0, count)
  const { buffer, byteOffset } = bytes as Uint8Array
  const start = byteOffset + ((offset as number | undefined) ?? 0)
  return Buffer.from(buffer.slice(start, start + count))
}
