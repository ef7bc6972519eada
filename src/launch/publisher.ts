/**
 * What a worker has added to its slot, published unit by unit: while it runs, whatever has been still for a settle
 * time and is open for writing nowhere; after it has ended well, all of it.
 *
 * A slot is looked at ever less often as long as nothing changes in it: a worker that serves costs nothing.
 */
import pMap from 'p-map'
import { isLatchError, messageOf } from '../core/errors.js'
import { openForWriting } from '../host/writers.js'
import type { Opened } from '../latch/open.js'
import { explain } from '../host/disk-errors.js'
import type { Namespace } from './namespace.js'
import { type Snapshot, publishUnit } from './snapshots.js'
import { type UnitFile, type UnitRules, type Units, fingerprintOf, scanUnit, scanUnits } from './units.js'

/** The first look is after one settle time, later ones after up to so many: a minute with 5 s. */
const LONGEST_PAUSE_IN_SETTLE_TIMES = 12

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
  readonly #stop = new AbortController()
  #watching: Promise<void> | undefined
  #broken = false

  constructor(
    private readonly opened: Opened,
    private readonly options: PublisherOptions,
  ) {}

  /** Notes what was seeded as it is now: nothing of it is new. Before the worker starts. */
  async begin(): Promise<void> {
    for (const [unit, files] of await this.#scan())
      if (this.options.seeded.has(unit)) this.#settled.set(unit, fingerprintOf(files))
  }

  watch(): void {
    this.#watching = this.#watch()
  }

  /** After the worker has ended. @param well whether to publish what is new */
  async end(well: boolean): Promise<void> {
    this.#stop.abort()
    await this.#watching
    if (!well) return
    this.#broken = false
    await this.#publishAll(await this.#scan())
  }

  /** Generations of the units that are in the slot as they are in the snapshot. */
  async present(): Promise<Map<string, number>> {
    const present = new Map<string, number>()
    for (const [unit, files] of await this.#scan()) {
      const published = this.options.seeded.get(unit)
      if (published && this.#settled.get(unit) === fingerprintOf(files))
        present.set(unit, published.generation)
    }
    return present
  }

  #scan(): Promise<Units> {
    const { slot, rules } = this.options
    return scanUnits(this.opened.disk, slot, rules)
  }

  async #watch(): Promise<void> {
    const { settleMs } = this.options
    let before = new Map<string, string>()
    for (let pauseMs = settleMs; !this.#broken;) {
      if (!(await this.#pause(pauseMs))) return
      const now = new Map<string, string>()
      const still: Units = new Map()
      for (const [unit, files] of await this.#scan()) {
        const fingerprint = fingerprintOf(files)
        if (this.#settled.get(unit) === fingerprint) continue
        now.set(unit, fingerprint)
        if (before.get(unit) === fingerprint) still.set(unit, files)
      }
      await this.#publishAll(still)
      if (now.size === 0) this.options.onQuiet()
      before = now
      pauseMs = now.size > 0 ? settleMs : Math.min(pauseMs * 2, settleMs * LONGEST_PAUSE_IN_SETTLE_TIMES)
    }
  }

  async #publishAll(units: Units): Promise<void> {
    if (units.size === 0) return
    const written = openForWriting(this.options.slot)
    const publish = async ([unit, files]: [string, UnitFile[]]): Promise<void> => {
      if (!this.#broken && !files.some(({ path }) => written.has(path))) await this.#publish(unit, files)
    }
    await pMap(units, publish, { concurrency: CONCURRENCY })
  }

  async #pause(ms: number): Promise<boolean> {
    try {
      await this.opened.host.clock.sleep(ms, this.#stop.signal)
      return true
    } catch {
      return false
    }
  }

  async #publish(unit: string, files: UnitFile[]): Promise<void> {
    const fingerprint = fingerprintOf(files)
    if (this.#settled.get(unit) === fingerprint) return
    if (files.every(({ kind }) => kind === 'link')) {
      // Of no use without what they name, which is a unit of its own.
      this.#settled.set(unit, fingerprint)
      return
    }
    const { slot, rules, namespace, seeded, onPublished, onTrouble } = this.options
    try {
      const draft = { namespace, slot, unit, files, rules, seeded: seeded.get(unit) }
      const outcome = await publishUnit(this.opened, draft, () =>
        scanUnit(this.opened.disk, slot, unit, rules),
      )
      if (outcome.state === 'changed') return
      this.#settled.set(unit, fingerprint)
      if (outcome.state !== 'published') {
        if (outcome.state === 'behind') seeded.delete(unit)
        return
      }
      const { published, bytes } = outcome
      seeded.set(unit, published)
      onPublished({ unit, generation: published.generation, bytes })
    } catch (error) {
      if (isLatchError(error, 'BUILD_INVALID')) {
        this.#settled.set(unit, fingerprint)
        onTrouble(error, unit)
      } else {
        this.#broken = true
        onTrouble(explain(error, `Publishing from the slot (${messageOf(error)})`, slot), null)
      }
    }
  }
}
