/**
 * Who sees everything, and says when a promise was broken. What is looked at, and when it must hold:
 *
 *   whole      no reader sees a partial or mixed entry; no name among the entries is of one         always
 *   durable    what was reported published or written is there, and whole, after a power cut         unless gc, or a
 *              deletion, may have had it, or it was said that it may not last
 *   pinned     an entry in somebody's hands stays                                                    see `pinsHold`
 *   alone      of a lock, whoever reads its lease's signal as not aborted has been alone since he    see `locksHold`
 *              took it
 *   once       no two build one key at once                                                         see `buildsOnce`
 *   register   a file has what was written last, or what is being written                            always
 *   errors     of the closed set, and only such as what went wrong explains                          always
 *   leftovers  at the end, after gc, nothing is left of anybody; nothing is open                     always
 *   progress   nobody waits for ever                                                                 always
 */
import { type LatchErrorCode, isLatchError } from '../../src/core/errors.js'
import { sha256 } from '../../src/host/hash.js'
import { decodeManifest } from '../../src/store/manifest.js'
import { isInjected } from './faults.js'
import { Torn, check } from './payload.js'
import type { Process } from './process.js'
import { Register } from './register.js'
import { SlotWitness } from './slot-witness.js'
import type { Inode } from './volume.js'
import { CACHE, DATA, type World, find } from './world.js'

export class Violation extends Error {}

interface Taken {
  by: Process
  asked: number
  at: number
}

interface Published {
  /** How many removals had been begun by then. */
  removals: number
}

export class Witness {
  violation: Violation | undefined
  /** The file that is written again and again. */
  readonly graph: Register
  readonly slots: SlotWitness
  readonly #takers = new Map<string, Taken>()
  readonly #builders = new Map<string, Set<Process>>()
  readonly #published = new Map<string, Published>()
  readonly #buildErrors = new Set<unknown>()
  /** Removals by gc, clear or remove, begun so far; and those under way. */
  #removals = 0
  #removing = 0

  constructor(private readonly world: World) {
    this.slots = new SlotWitness(world, this)
    this.graph = new Register(
      () => world.scheduler.now,
      (what) => this.report(what),
    )
  }

  /** Nobody was kept from its work for so long that others may have taken it for dead. */
  get nobodyWasHeldUp(): boolean {
    const { stops, stalls, slowCalls, errors, fullDisk, deletions } = this.world.swarm
    return !stops && !stalls && !slowCalls && !errors && !fullDisk && !deletions
  }

  /** flock excludes whoever comes, as long as nobody deletes what is locked. */
  get #kernelLocksHold(): boolean {
    const { locker, lies, deletions } = this.world.swarm
    return locker === 'kernel' && !lies && !deletions
  }

  /**
   * "What is pinned stays until damaged; a pin whose heart stood still for P is none" (protocol, what holds where), and
   * where flock lies (F), or somebody deletes the cache, no pin can be kept.
   */
  get #pinsHold(): boolean {
    const { locker, lies, deletions, errors } = this.world.swarm
    // Whoever cannot read an entry takes it for damaged, and damage is stronger than a pin (protocol, 7.).
    if (locker === 'kernel') return !lies && !deletions && !errors
    return this.nobodyWasHeldUp
  }

  get #buildsOnce(): boolean {
    const { locker, cleaners } = this.world.swarm
    return locker === 'lockfile' ? this.nobodyWasHeldUp : this.#kernelLocksHold && !cleaners
  }

  get #locksHold(): boolean {
    return this.#kernelLocksHold || (this.world.swarm.locker === 'lockfile' && !this.world.swarm.deletions)
  }

  report(what: string): void {
    this.violation ??= new Violation(what)
  }

  /** @param asked when it began to want it */
  took(lock: string, by: Process, asked: number): Taken {
    const taken = { by, asked, at: this.world.scheduler.now }
    this.#takers.set(lock, taken)
    return taken
  }

  /** `taken` has just read that its lease is not lost. */
  isSure(lock: string, taken: Taken): void {
    const last = this.#takers.get(lock)!
    if (last === taken || !this.#locksHold) return
    // Who holds a file that was deleted is told so within a second.
    if (this.world.swarm.locker === 'kernel' && this.world.cleanedAt >= taken.asked) return
    this.report(
      `${last.by.name} took ${lock} at ${last.at}, and ${taken.by.name}, who took it at ${taken.at}, is still sure of it`,
    )
  }

  building(key: string, by: Process): () => void {
    const builders = this.#builders.get(key) ?? new Set()
    this.#builders.set(key, builders)
    for (const other of builders) if (!other.alive) builders.delete(other)
    const [other] = builders
    if (other && this.#buildsOnce) this.report(`${by.name} builds ${key} while ${other.name} does`)
    builders.add(by)
    return () => void builders.delete(by)
  }

  /**
   * gc renames an entry, then deletes its files; it syncs neither, nor does whoever deletes the whole cache. Where changes of names are not ordered, a power cut
   * may undo the first and keep some of the second (protocol, "what a power cut may take": J). Every reader whose check
   * is `sizes`, as it is by default, sees that. What is there of it is whole all the same.
   */
  get halfRemovedMayReturn(): boolean {
    const { ordered, powerCuts, deletions } = this.world.swarm
    return !ordered && powerCuts && (deletions || this.#removals > 0)
  }

  get removals(): number {
    return this.#removals
  }

  get isRemoving(): boolean {
    return this.#removing > 0
  }

  removing(): () => void {
    this.#removals++
    this.#removing++
    return () => void this.#removing--
  }

  published(key: string): void {
    if (this.#removing === 0) this.#published.set(key, { removals: this.#removals })
  }

  /** It was said that it may not survive. */
  notDurable(key: string): void {
    this.#published.delete(key)
  }

  /** A reader could not read what it had in hand. */
  unreadable(key: string, by: Process, error: unknown): void {
    if (error instanceof Torn) return this.report(`${by.name} read ${key}: ${error.message}`)
    if (isInjected(error) || !this.#pinsHold) return
    this.report(`${by.name} has ${key} in hand, and cannot read it: ${String(error)}`)
  }

  powerLost(): void {
    this.checkEntries()
    this.slots.check()
    this.checkGraph()
    for (const [key, { removals }] of this.#published) {
      if (removals !== this.#removals || this.world.swarm.deletions) continue
      const id = sha256(JSON.stringify(key))
      if (find(this.world.shared, `${CACHE}/v1/entries/${id.slice(0, 2)}/${id}`) === null)
        this.report(`${key} was reported published, and the power cut took it`)
    }
  }

  /** Looked at from outside. */
  checkGraph(): void {
    const seen = this.graph.reading()
    const inode = find(this.world.shared, `${DATA}/graph.bin`)
    try {
      seen(inode && check(inode.bytes, 'graph', 'graph.bin'))
    } catch (error) {
      this.report(`graph.bin: ${String(error)}`)
    }
  }

  /** What has a name among the entries is whole, also while nobody reads it. */
  checkEntries(): void {
    const { shared } = this.world
    const snapshots = find(shared, `${CACHE}/v1/snapshots`)?.names.values() ?? []
    for (const home of [find(shared, `${CACHE}/v1/entries`), ...snapshots]) this.#checkHome(home)
  }

  #checkHome(home: Inode | null): void {
    for (const shelf of home?.names.values() ?? [])
      for (const [id, entry] of shelf.names) {
        const damage = damageOf(id, entry)
        if (damage !== null && !(damage.endsWith(MISSING) && this.halfRemovedMayReturn))
          this.report(`the entry ${id.slice(0, 6)}… is damaged: ${damage}`)
      }
  }

  /** The caller's own code threw, which passes through where it is not the cache's fault. */
  buildFailed(error: unknown): void {
    this.#buildErrors.add(error)
  }

  /** How a call ended that should have ended well. */
  failed(by: Process, doing: Doing, error: unknown): void {
    const { aborts, failingBuilds, errors, fullDisk } = this.world.swarm
    if (isLatchError(error, ...this.#allowed(doing))) return
    if (aborts && error instanceof Error && error.message === ABORTED) return
    if (failingBuilds && error instanceof Error && error.message === BUILD_FAILS) return
    // What the disk has done to the build's own writing passes through, where the cache is not to blame for it.
    if (this.#buildErrors.has(error) && (errors || fullDisk || this.#stagesMayGo)) return
    // The private directory as well; and what the caller does under a lock.
    if (isInjected(error) && (doing === 'getOrCompile' || doing === 'withLock')) return
    this.report(`${by.name}: ${doing} failed with ${explained(error)}`)
  }

  /**
   * By principle 5 of the design, `getOrCompile` without `strict`, `get` and a worker go on without a cache that cannot
   * be used: only what a build did is thrown, and what a disk does that fails outside of the cache, too.
   */
  #allowed(doing: Doing): LatchErrorCode[] {
    const { kills, powerCuts, machineCrashes, errors, fullDisk, failingBuilds, collectors } = this.world.swarm
    const allowed: LatchErrorCode[] = []
    if (doing.startsWith('getOrCompile')) {
      if (failingBuilds || errors) allowed.push('BUILD_FAILED')
      // Three processes in a row have died of it (protocol, L5), or so it looks.
      if (kills || powerCuts || machineCrashes) allowed.push('BUILD_CRASHED')
    }
    if (fullDisk || errors) allowed.push('DISK_FULL', 'DISK_ERROR', 'NO_PERMISSION', 'LOCK_UNAVAILABLE')
    if (doing === 'getOrCompile' || doing === 'get' || doing === 'worker') return allowed
    // "Nothing ever waits without bound" (principle 3): an hour here, which may be too short for an hour's work.
    if (this.world.swarm.impatience || this.#mayTakeLong) allowed.push('WAIT_TIMEOUT')
    // "Other programs may delete what they like" (protocol, the model): upkeep says what it has met.
    if (this.#stagesMayGo) allowed.push('DISK_ERROR')
    if (this.#stagesMayGo || errors) allowed.push('ROOT_GONE')
    // With no grace time, gc may take what was published before its publisher has it in hand (L12): even twice in a row.
    if (collectors && doing === 'getOrCompile, strict') allowed.push('ROOT_GONE')
    return allowed
  }

  /** Somebody deletes the cache, or takes a living writer for dead: held up for too long, or where locks lie. */
  get #stagesMayGo(): boolean {
    const { deletions, lies, locker } = this.world.swarm
    return deletions || lies || (locker === 'lockfile' && !this.nobodyWasHeldUp)
  }

  get #mayTakeLong(): boolean {
    const { stops, stalls, slowCalls } = this.world.swarm
    return stops || stalls || slowCalls
  }
}

/** What a process may be doing. */
export type Doing =
  | 'getOrCompile'
  | 'getOrCompile, strict'
  | 'get'
  | 'withLock'
  | 'writeFile'
  | 'gc'
  | 'verify'
  | 'list'
  | 'status'
  | 'worker'

export const ABORTED = 'the caller has aborted'
export const BUILD_FAILS = 'the build fails'

function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `, because of ${explained(error.cause)}`
  const where = error.stack?.split('\n').slice(1, 8).join('\n') ?? ''
  return `${error.name} ${'code' in error ? String(error.code) : ''} ${error.message}${cause}\n${where}`
}

const MISSING = ' is missing'

function damageOf(id: string, entry: Inode): string | null {
  // An empty directory is none: publishing replaces it.
  if (entry.names.size === 0) return null
  const text = entry.names.get('MANIFEST.json')?.bytes.toString()
  if (text === undefined) return `MANIFEST.json${MISSING}`
  const manifest = decodeManifest(text)
  if (typeof manifest === 'string') return manifest
  if (sha256(manifest.key) !== id) return 'the manifest is that of another key'
  let missing: string | null = null
  for (const { path, sha256: hash } of manifest.files) {
    let file: Inode | undefined = entry.names.get('files')
    for (const name of path.split('/')) file = file?.names.get(name)
    if (file === undefined) missing ??= path + MISSING
    else if (sha256(file.bytes.toString('latin1')) !== hash) return `${path} does not match its checksum`
  }
  return missing
}
