/**
 * What a disk was told, call by call, and what may be on it when the power goes.
 *
 * A file has versions, and a name in a directory has too; fsync of the file, or of the directory, rules out all but the
 * newest of that moment. After a cut:
 * - `anything goes`, as POSIX has it: of every file and of every name, by itself, any version since its last fsync.
 * - `in order`, as ext4 and xfs have it: names are as they all were at one moment, not before the last fsync of
 *   whatever; of every file any version since its own last fsync.
 * In both, what was written since a file's last fsync may be there, be cut off, or read as zeros.
 */
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A moment: the number of calls before it. */
type Moment = number

/** What was done before it began is on the device once it has ended; what was done meanwhile may be. */
interface Sync {
  began: Moment
  ended: Moment
}

interface Version<T> {
  at: Moment
  value: T
}

interface File {
  kind: 'file'
  versions: Version<Buffer>[]
  syncs: Sync[]
}

interface Directory {
  kind: 'directory'
  names: Map<string, Version<Node | null>[]>
  syncs: Sync[]
}

interface Link {
  kind: 'link'
  target: string
}

export type Node = File | Directory | Link

/** What is there after the cut. */
export type Remains = Buffer | { target: string } | Map<string, Remains>

export const MODELS = ['in order', 'anything goes'] as const
export type Model = (typeof MODELS)[number]

/** Of `count` possibilities, from the oldest to the newest, which. */
export type Choose = (count: number) => number

export class RecordedDisk {
  readonly #root: Directory
  readonly #files = new Map<number, Node>()
  readonly #syncs: Sync[] = [{ began: 0, ended: 0 }]
  now: Moment = 0

  /** @param top what is there now is on the device */
  constructor(private readonly top: string) {
    this.#root = load(top) as Directory
  }

  /** A call that was carried out, in the words of Node's `fs`. */
  observe(name: string, args: readonly unknown[], result: unknown, began: Moment): void {
    const [first, second] = args
    if (typeof first === 'number') return this.#observeDescriptor(name, first, args, { result, began })
    const path = String(name === 'symlink' ? second : first)
    if (!path.startsWith(this.top)) return
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
      this.#syncs.push(sync)
    }
    if (name !== 'write' || node.kind !== 'file') return
    const { value } = node.versions.at(-1)!
    node.versions.push({ at: ++this.now, value: Buffer.concat([value, writtenOf(args, result as number)]) })
  }

  #at(path: string): Node | null {
    if (path === this.top) return this.#root
    const parent = this.#at(dirname(path))
    if (parent?.kind !== 'directory') return null
    return parent.names.get(basename(path))?.at(-1)?.value ?? null
  }

  #set(path: string, node: Node | null): void {
    const parent = this.#at(dirname(path))
    if (parent?.kind !== 'directory') throw new Error(`Nothing is known of the directory of ${path}`)
    const versions = parent.names.get(basename(path)) ?? [{ at: 0, value: null }]
    versions.push({ at: this.now, value: node })
    parent.names.set(basename(path), versions)
  }

  /** What may be there when the power goes at `cut`. */
  after(cut: Moment, model: Model, choose: Chooser): Remains {
    const last = newest(this.#syncs, cut)
    const namesUntil = model === 'in order' ? last + choose.names(cut - last + 1) : cut
    const places = new Map<Directory, Place[]>()
    const namesIn = (directory: Directory): Place[] => {
      const known = places.get(directory)
      if (known) return known
      const found: Place[] = []
      places.set(directory, found)
      for (const [name, versions] of directory.names) {
        const possible = since(versions, newest(directory.syncs, cut), namesUntil)
        const which = model === 'in order' ? possible.length - 1 : choose.names(possible.length)
        const node = possible[which]!
        if (node !== null) found.push({ name, node, isSure: possible.length === 1 })
        if (node?.kind === 'directory') namesIn(node)
      }
      return found
    }
    namesIn(this.#root)
    const kept = onlyNames([...places.values()].flat(), choose.order)
    const remains = (node: Node): Remains => {
      if (node.kind === 'link') return { target: node.target }
      if (node.kind === 'file') return contentOf(node, cut, choose.data)
      const there = namesIn(node).filter((place) => place.node.kind !== 'directory' || kept.has(place))
      return new Map(there.map((place) => [place.name, remains(place.node)]))
    }
    return remains(this.#root)
  }
}

export interface Chooser {
  names: Choose
  data: Choose
  /** Which name of a directory that has two. */
  order: Choose
}

interface Place {
  name: string
  node: Node
  /** On the device, and never since changed. */
  isSure: boolean
}

/** A directory has one name: of two after a half-written rename, the next mount keeps one; never not the one that is sure. */
function onlyNames(places: readonly Place[], choose: Choose): Set<Place> {
  const byDirectory = new Map<Node, Place[]>()
  for (const place of places) byDirectory.set(place.node, [...(byDirectory.get(place.node) ?? []), place])
  return new Set(
    [...byDirectory.values()].map((names) => {
      const sure = names.filter(({ isSure }) => isSure)
      const possible = sure.length > 0 ? sure : names
      return possible[choose(possible.length)]!
    }),
  )
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

/** Up to which moment everything is on the device. */
const newest = (syncs: readonly Sync[], cut: Moment): Moment =>
  Math.max(0, ...syncs.filter(({ ended }) => ended <= cut).map(({ began }) => began))

/** The last one at `floor`, and all after it until `end`. */
function since<T>(versions: readonly Version<T>[], floor: Moment, end: Moment): T[] {
  const first = versions.findLastIndex(({ at }) => at <= floor)
  const possible = versions.slice(Math.max(first, 0)).filter(({ at }, index) => index === 0 || at <= end)
  return possible.map(({ value }) => value)
}

/** In how many ways what was written since the last fsync may look: not there, there, cut off, zeros. */
const WAYS = 4

function contentOf({ versions, syncs }: File, cut: Moment, choose: Choose): Buffer {
  const possible = since(versions, newest(syncs, cut), cut)
  const [synced, written] = [possible[0]!, possible.at(-1)!]
  const way = possible.length === 1 ? WAYS - 1 : choose(WAYS)
  if (way === 0) return synced
  if (way === 1) return Buffer.concat([synced, Buffer.alloc(written.length - synced.length)])
  if (way === 2) return written.subarray(0, synced.length + choose(written.length - synced.length + 1))
  return written
}
