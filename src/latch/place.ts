/**
 * Where a path outside of a cache has its lock and its stages, and holding that lock. What was found out about a path
 * is remembered: an uncontended lock costs a few µs, finding its place again some hundred.
 */
import { basename, dirname, resolve } from 'node:path'
import { attempt, explain } from '../host/disk-errors.js'
import type { Host } from '../host/host.js'
import type { Lease, LockerKind, Wait } from '../lock/locker.js'
import { lockName } from '../store/layout.js'
import { CallerError } from './caller-error.js'
import { acquireTold, emit } from './events.js'
import { Holding, heldHere } from './holding.js'
import { type Opened, openBooks, secondChance } from './open.js'

export interface LockOptions {
  /** Default `auto`: by the file system; see `openCache`. */
  locker?: 'auto' | LockerKind | undefined
  staleMs?: number | undefined
  /** Ends the waiting, and the writing where that can be ended; rejects with its reason. */
  signal?: AbortSignal | undefined
  /** Longest wait in milliseconds: default one hour, 0 tries once, `Infinity` waits as long as it takes. */
  timeoutMs?: number | undefined
  /** Called after one second of waiting, then every ten. Default: a process warning. */
  onWait?: ((wait: Wait) => void) | undefined
}

export interface SharedLockOptions extends LockOptions {
  /** Held together with others who share it, such as readers among whom nobody writes. Only by the kernel's lock. */
  shared?: boolean | undefined
}

export interface Place {
  opened: Opened
  /** Absolute, its parent without links. */
  target: string
  parent: string
  /** The lock path of `target`. */
  lock: string
  /** What the directory's name led to, where it is or contains a link: it may be made to lead elsewhere. */
  link: string | null
  /** Which directory of locks was found: it may be removed, or another put in its place. */
  locks: string | null
}

export type Work<T> = (place: Place, lease: Lease) => T | Promise<T>

async function lockedAt<T>(place: Place, options: SharedLockOptions, work: Work<T>): Promise<T> {
  const { opened, lock, target } = place
  const { signal, timeoutMs, onWait, shared = false } = options
  const outer = heldHere(lock, shared)
  if (outer) return work(place, outer)
  const wish = { signal, timeoutMs, onWait, shared }
  return whileHeld(place, await acquireTold(opened.locker, lock, { target }, wish), shared, work)
}

/** Without a look at what is remembered, where the lock itself is still there. A link has to be looked at each time. */
function lockAgain({ link, lock, opened }: Place, options: SharedLockOptions): Lease | null {
  return (link === null && opened.locker.acquireAgain?.(lock, options)) || null
}

async function whileHeld<T>(place: Place, lease: Lease, shared: boolean, work: Work<T>): Promise<T> {
  const { lock, target } = place
  const holding = new Holding(lock, lease, shared)
  emit({ type: 'locked', path: lock, target })
  try {
    return await holding.run(() => work(place, lease))
  } finally {
    holding.current = false
    await attempt(lease.release())
    emit({ type: 'unlocked', path: lock, target })
  }
}

const MAX_REMEMBERED = 1024

export const memoOf = (path: string, { locker = 'auto' }: LockOptions): string => `${locker}:${path}`

const known = new WeakMap<Host, Places>()

/** One a process: what was found out is found out for all. */
export function placesOf(host: Host): Places {
  const places = known.get(host) ?? new Places(host)
  known.set(host, places)
  return places
}

export class Places {
  /** By locker and path. */
  readonly #places = new Map<string, Place>()
  /** By locker and directory: opened once a process. */
  readonly #roots = new Map<string, Promise<Opened>>()

  constructor(private readonly host: Host) {}

  async locked<T>(path: string, options: SharedLockOptions, work: Work<T>): Promise<T> {
    const absolute = resolve(path)
    const memo = memoOf(absolute, options)
    try {
      const known = this.#places.get(memo)
      const again = known && lockAgain(known, options)
      const place = again
        ? known
        : (this.#recall(memo, absolute) ?? (await this.locate(absolute, options, memo)))
      try {
        if (again) return await whileHeld(place, again, options.shared ?? false, work)
        return await lockedAt(place, options, work)
      } catch (error) {
        return await secondChance(place.opened, error, async () => {
          this.#forgetAll()
          return lockedAt(await this.locate(absolute, options, memo), options, work)
        })
      }
    } catch (error) {
      throw error instanceof CallerError ? error.thrown : explain(error, 'Writing', absolute)
    }
  }

  async locate(absolute: string, options: LockOptions, memo: string): Promise<Place> {
    const directory = dirname(absolute)
    const opened = await this.#openOnce(directory, options)
    const { layout } = opened
    const { directories } = this.host
    const parent = dirname(layout.root)
    const link = parent === directory ? null : directories.identity(directory)
    const target = `${parent}/${basename(absolute)}`
    const locks = directories.identity(layout.locks)
    const place = { opened, parent, target, lock: layout.lock(lockName(absolute)), link, locks }
    if (this.#places.size >= MAX_REMEMBERED) this.#places.clear()
    this.#places.set(memo, place)
    return place
  }

  #recall(memo: string, absolute: string): Place | undefined {
    const place = this.#places.get(memo)
    if (place === undefined) return undefined
    const { directories } = this.host
    const isThere = place.locks === directories.identity(place.opened.layout.locks)
    if (isThere && (place.link === null || place.link === directories.identity(dirname(absolute))))
      return place
    this.#forgetAll()
    return undefined
  }

  /** All that is remembered may be void; to remember again costs little. */
  #forgetAll(): void {
    this.#places.clear()
    this.#roots.clear()
  }

  #openOnce(directory: string, options: LockOptions): Promise<Opened> {
    const memo = memoOf(directory, options)
    let opening = this.#roots.get(memo)
    if (opening === undefined) {
      opening = this.#openBeside(directory, options)
      this.#roots.set(memo, opening)
      opening.catch(() => this.#roots.delete(memo))
    }
    return opening
  }

  async #openBeside(directory: string, options: LockOptions): Promise<Opened> {
    return openBooks(this.host, this.host.directories.makeReal(directory), options)
  }
}
