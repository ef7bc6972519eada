/**
 * One file system: what everybody sees, and what a power cut leaves of it.
 *
 * The durability model. It promises less than any journalling file system does, so what holds here holds there:
 * - The bytes of a file are on the device once `fsync` of it has returned. Until then a power cut leaves the bytes of
 *   the last fsync, all of the new ones, their beginning, or as many zeros.
 * - A change of names (create, link, unlink, rename) is one step, also where it is in two directories. It is on the
 *   device once `fsync` of one of these directories has returned. Until then it may be undone by a power cut: in an
 *   `ordered` volume (ext4, xfs) a later change never survives an earlier one, and an fsync of anything makes all of
 *   them durable; else each survives, or not, for itself.
 * - Numbers of inodes are used again as soon as nobody has the old file open, the last one first, as ext4 does.
 */
import type { Chance } from './random.js'

export type Kind = 'file' | 'directory' | 'link'

export interface Inode {
  ino: number
  kind: Kind
  mode: number
  uid: number
  links: number
  mtimeMs: number
  ctimeMs: number
  /** Of a file. */
  bytes: Buffer
  /** Of a file: what a power cut cannot take. */
  syncedBytes: Buffer
  /** Of a directory. */
  names: Map<string, Inode>
  syncedNames: Map<string, Inode>
  /** Of a link. */
  target: string
  opened: number
}

interface Binding {
  directory: Inode
  name: string
  inode: Inode | null
}

const NOTHING = Buffer.alloc(0)

export class Volume {
  readonly root: Inode
  #changes: Binding[][] = []
  #lastIno = 1
  readonly #freeInos: number[] = []

  constructor(
    readonly dev: number,
    readonly ordered: boolean,
    readonly chance: Chance,
    /** Of the machine that has the disk. */
    readonly now: () => number,
  ) {
    this.root = this.make('directory', 0o755)
    this.root.links = 1
  }

  make(kind: Kind, mode: number): Inode {
    const now = this.now()
    const ino = this.#freeInos.pop() ?? ++this.#lastIno
    return {
      ino,
      kind,
      mode,
      uid: 0,
      links: 0,
      mtimeMs: now,
      ctimeMs: now,
      bytes: NOTHING,
      syncedBytes: NOTHING,
      names: new Map(),
      syncedNames: new Map(),
      target: '',
      opened: 0,
    }
  }

  /** Several at once are one step. */
  bind(...bindings: Binding[]): void {
    for (const { directory, name, inode } of bindings) {
      const before = directory.names.get(name)
      if (inode) inode.links++
      if (inode) directory.names.set(name, inode)
      else directory.names.delete(name)
      directory.mtimeMs = this.now()
      if (before) this.#unlinked(before)
    }
    this.#changes.push(bindings)
  }

  #unlinked(inode: Inode): void {
    inode.links--
    inode.ctimeMs = this.now()
    this.freeIfGone(inode)
  }

  freeIfGone(inode: Inode): void {
    if (inode.links === 0 && inode.opened === 0) this.#freeInos.push(inode.ino)
  }

  sync(inode: Inode): void {
    if (inode.kind === 'file') inode.syncedBytes = inode.bytes
    if (this.ordered) this.#commit(() => true)
    else if (inode.kind === 'directory')
      this.#commit((bindings) => bindings.some(({ directory }) => directory === inode))
  }

  #commit(isMeant: (bindings: Binding[]) => boolean): void {
    const done = this.#changes.filter(isMeant)
    if (done.length === 0) return
    const settled = new Map<Inode, Set<string>>()
    for (const binding of done.flat()) {
      bindDurably(binding)
      settled.set(binding.directory, (settled.get(binding.directory) ?? new Set()).add(binding.name))
    }
    // What an earlier change did to these names does not come back over a later one.
    this.#changes = this.#changes
      .filter((bindings) => !isMeant(bindings))
      .map((bindings) => bindings.filter(({ directory, name }) => !settled.get(directory)?.has(name)))
      .filter((bindings) => bindings.length > 0)
  }

  /** Everybody who had something open is gone. */
  losePower(): void {
    const keeping = this.chance.pick([0, 0.3, 0.7, 1])
    for (const bindings of this.#changes) {
      if (this.chance.happens(keeping)) bindings.forEach(bindDurably)
      else if (this.ordered) break
    }
    this.#changes = []
    const left = [...reachable(this.root)]
    for (const inode of left) this.#forget(inode)
    for (const { names } of left) for (const child of names.values()) child.links++
    this.root.links = 1
  }

  #forget(inode: Inode): void {
    inode.opened = 0
    inode.links = 0
    inode.names = new Map(inode.syncedNames)
    if (inode.bytes !== inode.syncedBytes) inode.bytes = this.#leftOf(inode)
    inode.syncedBytes = inode.bytes
  }

  /** What a power cut leaves of bytes that were not synced. */
  #leftOf({ bytes, syncedBytes }: Inode): Buffer {
    return this.chance.pick([
      () => syncedBytes,
      () => bytes,
      () => bytes.subarray(0, this.chance.integer(0, bytes.length)),
      () => Buffer.alloc(bytes.length),
    ])()
  }
}

function bindDurably({ directory, name, inode }: Binding): void {
  if (inode) directory.syncedNames.set(name, inode)
  else directory.syncedNames.delete(name)
}

/** As it will be after a power cut. */
function* reachable(inode: Inode): Generator<Inode> {
  yield inode
  for (const child of inode.syncedNames.values()) yield* reachable(child)
}
