/**
 * What a machine remembers of a disk that others change as well, as a client of NFS does (nfs(5), `ac` and `cto`, the
 * defaults): for some time, which names are in a directory, which are not, and the attributes of what they name.
 *
 * What it asks the server for all the same:
 * - what is opened, unless it is remembered not to be there: a file's attributes, a directory's names;
 * - a directory that this machine has changed itself;
 * - the whole path anew, once something on it turns out to be gone (ESTALE).
 */
import type { Stats } from '../../src/host/disk.js'
import type { Chance } from './random.js'
import type { Inode } from './volume.js'

interface Remembered<T> {
  value: T
  until: number
}

export class Client {
  readonly #names = new Map<Inode, Map<string, Remembered<Inode | undefined>>>()
  readonly #listings = new Map<Inode, Remembered<[string, Inode][]>>()
  readonly #stats = new Map<Inode, Remembered<Stats>>()

  constructor(
    private readonly chance: Chance,
    private readonly now: () => number,
    private readonly maxAgeMs: number,
  ) {}

  /** @param asks the server, unless there is no such name as far as is remembered */
  lookUp(directory: Inode, name: string, asks: boolean): Inode | undefined {
    const names = this.#names.get(directory) ?? new Map<string, Remembered<Inode | undefined>>()
    this.#names.set(directory, names)
    const known = names.get(name)
    if (known && this.#isFresh(known) && !(asks && known.value)) return known.value
    const value = directory.names.get(name)
    names.set(name, this.#remember(value))
    return value
  }

  list(directory: Inode): [string, Inode][] {
    return this.#get(this.#listings, directory, () => [...directory.names])
  }

  statsOf(inode: Inode, look: () => Stats): Stats {
    return this.#get(this.#stats, inode, look)
  }

  /** It was opened, or changed, from here. */
  forget(inode: Inode): void {
    this.#names.delete(inode)
    this.#listings.delete(inode)
    this.#stats.delete(inode)
  }

  forgetAll(): void {
    this.#names.clear()
    this.#listings.clear()
    this.#stats.clear()
  }

  #get<T>(memory: Map<Inode, Remembered<T>>, inode: Inode, look: () => T): T {
    const known = memory.get(inode)
    if (known && this.#isFresh(known)) return known.value
    const value = look()
    memory.set(inode, this.#remember(value))
    return value
  }

  #remember<T>(value: T): Remembered<T> {
    return { value, until: this.now() + this.chance.between(0, this.maxAgeMs) }
  }

  #isFresh({ until }: Remembered<unknown>): boolean {
    return this.now() < until
  }
}
