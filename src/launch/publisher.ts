/**
 * What a worker has added to its slot, published unit by unit: while it runs, whatever has been still for a settle
 * time and is open for writing nowhere; after it has ended well, all of it.
 *
 * Units can be seen in the order in which they were written, and none after one that cannot be published yet: what a
 * file needs is older than the file. Wherever this stops, killed too, the snapshot is one that a worker has had on its
 * way. (torch 2.6 dies of a graph whose .so is missing: it includes a header of the slot in which it was compiled.)
 *
 * A slot is looked at ever less often as long as nothing changes in it: a worker that serves costs nothing.
 */
import { isLatchError, messageOf } from '../core/errors.js'
import type { Opened } from '../latch/open.js'
import { explain } from '../host/disk-errors.js'
import { type Turn, inTurn } from './in-turn.js'
import type { Namespace } from './namespace.js'
import type { LeftUnits } from './slots.js'
import {
  type PublishOutcome,
  type PublishedUnit,
  type Snapshot,
  publishUnit,
  readSnapshot,
} from './snapshots.js'
import {
  type UnitFile,
  type UnitRules,
  type Units,
  fingerprintOf,
  oldestFirst,
  scanUnit,
  stateOf,
  visitUnits,
} from './units.js'
import { openForWriting } from './writers.js'

/** The first look is after one settle time, later ones after up to so many: a minute with 5 s. */
const LONGEST_PAUSE_IN_SETTLE_TIMES = 12
/** A look at 10 000 files takes 0.1 s. At rest, looking may take a thousandth of the time, as long as pauses stay below this. */
const PAUSE_TO_LOOK = 1_000
const LONGEST_PAUSE_OF_A_LARGE_SLOT = 60

/** Their fsyncs meet in the journal: 10 000 files in 1 250 units take a third of the time that they take one by one. */
const CONCURRENCY = 8

export interface Published {
  unit: string
  generation: number
  bytes: number
}

export interface PublisherOptions {
  namespace: Namespace
  slot: string
  rules: UnitRules
  settleMs: number
  /** What the slot has been seeded with. */
  seeded: Snapshot
  onPublished: (published: Published) => void
  /** Called after a look at the slot in which nothing was new any more. */
  onQuiet: () => void
  /** Nothing is published any more, except at the end; told once. `unit`: only this one cannot be. */
  onTrouble: (error: unknown, unit: string | null) => void
}

export class Publisher {
  /** Fingerprints of what is in the snapshot, or will never be. */
  readonly #settled = new Map<string, string>()
  readonly #known = new Map<string, PublishedUnit | null>()
  readonly #stop = new AbortController()
  #watching: Promise<void> | undefined
  #broken = false
  #told = false
  #endedBadly = false
  #pid: number | undefined

  constructor(
    private readonly opened: Opened,
    private readonly options: PublisherOptions,
  ) {}

  /** Notes what was seeded as it is now: nothing of it is new. Before the worker starts. */
  async begin(): Promise<void> {
    await this.#visit((unit, files) => {
      if (this.options.seeded.has(unit)) this.#settled.set(unit, fingerprintOf(files))
    })
  }

  /** @param pid of the worker */
  watch(pid?: number): void {
    this.#pid = pid
    this.#watching = this.#watch()
  }

  /** After the worker has ended. @param well whether to publish what is new */
  async end(well: boolean): Promise<void> {
    this.#endedBadly = !well
    this.#pid = undefined
    this.#stop.abort()
    await this.#watching
    if (!well) return
    this.#broken = false
    await this.#trying(async () => this.#publishAll(await this.#news()))
  }

  /** Units that are in the slot as they are in the snapshot; `null`: it cannot be looked at. */
  async present(): Promise<LeftUnits | null> {
    const present: LeftUnits = new Map()
    return this.#trying(async () => {
      await this.#visit((unit, files) => {
        const published = this.options.seeded.get(unit)
        if (published && this.#settled.get(unit) === fingerprintOf(files))
          present.set(unit, { generation: published.generation, state: stateOf(files) })
      })
      return present
    })
  }

  #visit(visit: (unit: string, files: UnitFile[]) => void): Promise<void> {
    const { slot, rules } = this.options
    return visitUnits(this.opened.disk, slot, rules, visit)
  }

  /** The units that are not as they are in the snapshot. */
  async #news(): Promise<Units> {
    const news: Units = new Map()
    await this.#visit((unit, files) => {
      if (this.#settled.get(unit) !== fingerprintOf(files)) news.set(unit, files)
    })
    return news
  }

  /** `null`: the slot cannot be looked at, or what was to be done with it failed. Nothing of it ends the wrapper. */
  async #trying<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work()
    } catch (error) {
      this.#breakOff(error)
      return null
    }
  }

  #breakOff(error: unknown): void {
    this.#broken = true
    if (this.#told) return
    this.#told = true
    const { slot, onTrouble } = this.options
    onTrouble(explain(error, `Publishing from the slot (${messageOf(error)})`, slot), null)
  }

  async #watch(): Promise<void> {
    const { settleMs } = this.options
    const { clock } = this.opened.host
    let before = new Map<string, string>()
    for (let pauseMs = settleMs; !this.#broken;) {
      if (!(await this.#pause(pauseMs))) return
      const now = new Map<string, string>()
      const begun = clock.now()
      await this.#trying(async () => {
        const news = await this.#news()
        for (const [unit, files] of news) now.set(unit, fingerprintOf(files))
        await this.#publishAll(news, (unit) => before.get(unit) === now.get(unit))
      })
      if (now.size === 0 && !this.#broken) this.options.onQuiet()
      before = now
      pauseMs = now.size > 0 ? settleMs : longer(pauseMs, settleMs, clock.now() - begun)
    }
  }

  /** @param isStill while the worker runs: whether a unit is as it was at the last look */
  async #publishAll(units: Units, isStill?: (unit: string) => boolean): Promise<void> {
    if (units.size === 0) return
    const written = await openForWriting(this.opened, this.options.slot)
    const isOpen = (files: UnitFile[]): boolean => files.some(({ path }) => written.has(path))
    const newest = await readSnapshot(this.opened, this.options.namespace, this.#known)
    const next = oldestFirst(units)
    // What is kept open and not written to, such as a log, must not hold up the others for a worker's whole life.
    const end = next.findIndex(([unit, files]) => (isStill ? !isStill(unit) : isOpen(files)))
    const whole = (end === -1 ? next : next.slice(0, end)).filter(([, files]) => !isOpen(files))
    await inTurn(whole, CONCURRENCY, async ([unit, files], turn) =>
      this.#broken ? false : this.#publish(unit, files, newest, turn),
    )
  }

  /**
   * A file of a worker that was killed is open no more, and is still. Its end may be known to the kernel only:
   *   worker: killed in the middle of a file     we: see a still file that nobody has open, and copy it
   * so before the unit is placed, the worker is looked at: the kernel marks a process as exiting first, then closes
   * its files, and tells its parent last, on a busy machine much later. Whoever is not exiting now has closed the file
   * itself.
   */
  async #isAllowed(): Promise<boolean> {
    await this.opened.host.clock.sleep(0)
    const isEnding = this.#pid !== undefined && this.opened.host.processes.startTimeOf(this.#pid) === null
    return !this.#endedBadly && !isEnding
  }

  async #pause(ms: number): Promise<boolean> {
    try {
      await this.opened.host.clock.sleep(ms, this.#stop.signal)
      return true
    } catch {
      return false
    }
  }

  /** Whether it is in the snapshot, or will never be: nothing waits for it. */
  async #publish(unit: string, files: UnitFile[], newest: Snapshot, turn: Turn): Promise<boolean> {
    const fingerprint = fingerprintOf(files)
    if (files.every(({ kind }) => kind === 'link')) {
      // Of no use without what they name, which is a unit of its own.
      this.#settled.set(unit, fingerprint)
      return true
    }
    const { slot, rules, namespace, seeded, onPublished, onTrouble } = this.options
    const isBehind = (newest.get(unit)?.generation ?? 0) > (seeded.get(unit)?.generation ?? 0)
    try {
      const draft = { namespace, slot, unit, files, rules, seeded: seeded.get(unit) }
      const outcome: PublishOutcome = isBehind
        ? { state: 'behind' }
        : await publishUnit(this.opened, draft, {
            scan: () => scanUnit(this.opened.disk, slot, unit, rules),
            isAllowed: async () => (await turn.mine) && this.#isAllowed(),
            onPlaced: turn.taken,
          })
      if (outcome.state === 'changed') return false
      this.#settled.set(unit, fingerprint)
      if (outcome.state !== 'published') {
        if (outcome.state === 'behind') seeded.delete(unit)
        return true
      }
      const { published, bytes } = outcome
      seeded.set(unit, published)
      onPublished({ unit, generation: published.generation, bytes })
      return true
    } catch (error) {
      if (isLatchError(error, 'BUILD_INVALID')) {
        this.#settled.set(unit, fingerprint)
        onTrouble(error, unit)
        return true
      }
      this.#breakOff(error)
      return false
    }
  }
}

function longer(pauseMs: number, settleMs: number, lookMs: number): number {
  const longestMs = settleMs * LONGEST_PAUSE_IN_SETTLE_TIMES
  if (pauseMs < longestMs) return Math.min(pauseMs * 2, longestMs)
  return Math.max(longestMs, Math.min(lookMs * PAUSE_TO_LOOK, settleMs * LONGEST_PAUSE_OF_A_LARGE_SLOT))
}
