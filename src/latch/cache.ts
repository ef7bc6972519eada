/** The cache as its users see it. */
import { type Key, canonicalKey } from '../core/key.js'
import type {
  EntryReport,
  GcReport,
  RemoveOutcome,
  SnapshotReport,
  StatsReport,
  StatusReport,
  VerifyReport,
} from '../core/report.js'
import { explain, isCacheTrouble } from '../host/disk-errors.js'
import { sha256 } from '../host/hash.js'
import { type Host, realHost } from '../host/host.js'
import { assertDirectories } from '../store/format.js'
import { takeInventory } from '../store/inventory.js'
import type { Check } from '../store/lookup.js'
import { type Build, type CompileOptions, type Job, compileOnce } from './compile.js'
import type { Counting } from './counting.js'
import { type Entry, findAtOnce, findPinned } from './entry.js'
import { announceDegradation, emit } from './events.js'
import { type OpenOptions, type Opened, foreignLockPath, openRoot, secondChance } from './open.js'
import { CallerError } from './caller-error.js'
import type { GcOptions } from './gc.js'
import { compilePrivately } from './private.js'
import type { StatsOptions } from './statistics.js'
import type { StatusOptions } from './status.js'
import type { VerifyOptions } from './verify.js'

export interface CacheOptions extends OpenOptions {
  /** Errors of the cache are thrown; without, they are warnings, and the work goes on in private directories. */
  strict?: boolean | undefined
  /** How closely a hit is looked at. Default `sizes`. */
  check?: Check | undefined
}

/**
 * Opens the cache in `root`, creating it if there is none. Without `strict`, a root that cannot be used is no error
 * here: every call tries again, and compiles privately as long as it cannot.
 * @throws LatchError with `strict`
 */
export async function openCache(root: string, options: CacheOptions = {}): Promise<Cache> {
  return openCacheOn(realHost(), root, options)
}

/** As `openCache`, on a host of the caller's making: for tests. */
export async function openCacheOn(host: Host, root: string, options: CacheOptions = {}): Promise<Cache> {
  const cache = new Cache(host, root, options)
  if (options.strict) await cache.locker()
  return cache
}

export class Cache {
  #opening: Promise<Opened> | undefined
  /** What that has led to. */
  #opened: Opened | null = null
  /** Of the cache as opened last, also where it could not be used since. */
  #counting: Counting | undefined

  constructor(
    private readonly host: Host,
    readonly root: string,
    private readonly options: CacheOptions,
  ) {}

  /**
   * The entry of `key`; where there is none, `build` fills a directory that becomes it. Of all processes that ask at
   * once, one builds, and the others wait for it.
   * @throws what `build` throws; LatchError BUILD_FAILED (in those who waited), BUILD_CRASHED, BUILD_INVALID,
   *   KEY_INVALID; with `strict` every error of the cache as well; `signal.reason` on abort
   */
  async getOrCompile(key: Key, build: Build, options: CompileOptions = {}): Promise<Entry> {
    const canonical = canonicalKey(key)
    const { strict = this.options.strict, check = this.options.check } = options
    const settled = { ...options, strict, check }
    const job = { key: canonical, id: sha256(canonical), build, options: settled }
    const started = this.host.clock.now()
    let entry: Entry | null
    try {
      entry = this.#opened && findAtOnce(this.#opened, job.id, canonical, check ?? 'sizes')
      entry ??= await this.#compile(job)
    } catch (error) {
      if (error instanceof CallerError) throw error.thrown
      const trouble = explain(error, 'Compiling through the cache', this.root)
      // What the build or the key is to blame for.
      if (!isCacheTrouble(error)) throw trouble
      // A trouble that comes after the caller has given up is nobody's any more.
      options.signal?.throwIfAborted()
      if (strict) throw trouble
      entry = await compilePrivately(this.host, this.root, canonical, build, trouble, settled)
    }
    const elapsedMs = this.host.clock.now() - started
    this.#counting?.outcome(job.id, canonical, entry.outcome, elapsedMs, entry.buildMs)
    emit({ type: 'obtained', key: canonical, path: entry.path, outcome: entry.outcome, elapsedMs })
    return entry
  }

  /** The entry of `key`, or `null`. A damaged one counts as none; the next `getOrCompile` replaces it. */
  async get(key: Key, options: { check?: Check; strict?: boolean } = {}): Promise<Entry | null> {
    const canonical = canonicalKey(key)
    const check = options.check ?? this.options.check ?? 'sizes'
    try {
      const opened = await this.#open()
      const found = await findPinned(opened, sha256(canonical), canonical, check)
      return found.state === 'hit' ? found.entry('hit') : null
    } catch (error) {
      if ((options.strict ?? this.options.strict) || !isCacheTrouble(error))
        throw explain(error, 'Reading the cache', this.root)
      announceDegradation(this.root, canonical, explain(error, 'Reading the cache', this.root))
      return null
    }
  }

  /**
   * The file that another program must lock (Python: `filelock.FileLock(path)`) to exclude the builders of `key`.
   * @throws LatchError LOCK_UNAVAILABLE where the lock is no kernel lock: another program cannot take part
   */
  async lockPath(key: Key): Promise<string> {
    const opened = await this.#open()
    return foreignLockPath(opened, opened.layout.lock(sha256(canonicalKey(key))))
  }

  /** The lock in use here, and why. */
  async locker(): Promise<{ kind: string; reason: string; fileSystem: string }> {
    const { locker, reason, fileSystem } = await this.#open()
    return { kind: locker.kind, reason, fileSystem: fileSystem.type }
  }

  /** What is there, in no order; read while it is asked for, so that memory does not grow with the cache. */
  async *list(): AsyncGenerator<EntryReport> {
    try {
      const { disk, layout } = await this.#open()
      await assertDirectories(disk, layout)
      yield* takeInventory(disk, layout)
    } catch (error) {
      throw explain(error, 'Listing the entries', this.root)
    }
  }

  /** What slots are seeded from: one a namespace. */
  async snapshots(): Promise<SnapshotReport[]> {
    const { listSnapshots } = await import('./snapshots.js')
    return this.#upkeep('Listing the snapshots', listSnapshots)
  }

  /** Removes what crashes have left, then entries, snapshots and slots by age and size; never what is in use. */
  async gc(options: GcOptions = {}): Promise<GcReport> {
    const { collect } = await import('./gc.js')
    return this.#upkeep('Removing old entries', (opened) => collect(opened, options))
  }

  /** Removes all entries, snapshots and slots, however young, except what is in use; and what crashes have left. */
  async clear(options: Pick<GcOptions, 'dryRun' | 'onProgress'> = {}): Promise<GcReport> {
    const { clearAll } = await import('./gc.js')
    return this.#upkeep('Clearing the cache', (opened) => clearAll(opened, options))
  }

  /** Reads every byte, or of `keys` only: what is damaged is reported, and with `quarantine` set aside. */
  async verify({
    keys,
    ...options
  }: VerifyOptions & { keys?: Iterable<Key> | undefined } = {}): Promise<VerifyReport> {
    const { verifyAll } = await import('./verify.js')
    const wanted = keys && new Map(Array.from(keys, canonicalKey).map((key) => [sha256(key), key]))
    return this.#upkeep('Verifying the cache', (opened) => verifyAll(opened, { ...options, wanted }))
  }

  /** Who holds a lock, who waits, what crashes have left: only looked at, so nobody is held up by it. */
  async status(options: StatusOptions = {}): Promise<StatusReport> {
    const { readStatus } = await import('./status.js')
    return this.#upkeep('Looking at the cache', (opened) => readStatus(opened, options))
  }

  /** How often it was hit, compiled, waited for, by all processes; and what that has saved. */
  async stats(options: StatsOptions = {}): Promise<StatsReport> {
    const { readStats } = await import('./statistics.js')
    try {
      return await readStats(await this.#open(), options)
    } catch (error) {
      throw explain(error, 'Reading the statistics', this.root)
    }
  }

  /** Removes the entry of `key`, however young, unless it is in use. */
  async remove(key: Key): Promise<RemoveOutcome> {
    const { removeEntry } = await import('./gc.js')
    const id = sha256(canonicalKey(key))
    return this.#upkeep('Removing an entry', (opened) => removeEntry(opened, id))
  }

  async #upkeep<T>(doing: string, work: (opened: Opened) => Promise<T>): Promise<T> {
    try {
      const opened = await this.#open()
      await assertDirectories(opened.disk, opened.layout)
      return await work(opened)
    } catch (error) {
      throw explain(error, doing, this.root)
    }
  }

  async #compile(job: Job): Promise<Entry> {
    const opened = await this.#open()
    this.#opened = opened
    this.#counting = opened.counting
    try {
      return await compileOnce(opened, job)
    } catch (error) {
      return secondChance(opened, error, async () => {
        this.#opening = undefined
        this.#opened = null
        return compileOnce(await this.#open(), job)
      })
    }
  }

  #open(): Promise<Opened> {
    return (this.#opening ??= openRoot(this.host, this.root, this.options).catch((error: unknown) => {
      this.#opening = undefined
      throw error
    }))
  }
}
