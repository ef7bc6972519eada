/**
 * What this process has counted in one cache and not yet written down. A hit costs a look into a map: hits are
 * written every ten seconds and at exit, all else at once, since it has taken far longer than a line takes.
 *
 * What is lost: the hits since the last line, where the process is killed. Where hits never pause, the time between
 * two lines doubles up to five minutes, or a server with many keys would fill the disk with its statistics.
 */
import { addTo, noCounts } from '../core/counts.js'
import { keyLabel } from '../core/key.js'
import type { Outcome } from '../core/outcome.js'
import type { Counts } from '../core/report.js'
import type { Disk } from '../host/disk.js'
import type { Host } from '../host/host.js'
import type { Layout } from '../store/layout.js'
import { count, countNow } from '../store/count.js'

const PAUSE_MS = 10_000
const LONGEST_PAUSE_MS = 5 * 60_000
/** Keys in memory: a line of each is 50 KB together. */
const MAX_KEYS = 256

export class Counting {
  readonly #keys = new Map<string, { key: string; counts: Counts }>()
  #cancel: (() => void) | undefined
  #pauseMs = PAUSE_MS
  #writtenAt = Number.NEGATIVE_INFINITY
  /** On a network file system: what is on its way. Never rejects. */
  #writing = Promise.resolve()

  constructor(
    readonly host: Host,
    readonly disk: Disk,
    readonly layout: Layout,
  ) {}

  /** A call has ended well. */
  outcome(id: string, key: string, outcome: Outcome, elapsedMs: number, buildMs: number): void {
    const counts = this.#countsOf(id, key)
    if (outcome === 'hit') counts.hits++
    else counts[outcome]++
    if (outcome === 'hit' || outcome === 'waited') counts.savedMs += Math.max(0, buildMs - elapsedMs)
    if (outcome === 'waited') counts.waitedMs += elapsedMs
    if (outcome !== 'hit') this.#write()
  }

  /** Written with the outcome that follows. */
  published(id: string, key: string, bytes: number, buildMs: number): void {
    addTo(this.#countsOf(id, key), { bytes, buildMs })
  }

  failed(id: string, key: string): void {
    this.#countsOf(id, key).failures++
    this.#write()
  }

  #countsOf(id: string, key: string): Counts {
    const known = this.#keys.get(id)
    if (known) return known.counts
    if (this.#keys.size === MAX_KEYS) this.#write()
    const counts = noCounts()
    this.#keys.set(id, { key, counts })
    if (!this.#cancel) this.#writeLater()
    return counts
  }

  #writeLater(): void {
    const paused = this.host.clock.now() - this.#writtenAt > 2 * this.#pauseMs
    this.#pauseMs = paused ? PAUSE_MS : Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
    const cancelTimer = this.host.clock.later(this.#pauseMs, () => this.#writeInTurn())
    const { appending, processes } = this.host
    const cancelExit = processes.atExit(() => countNow(appending, this.layout, this.#takeAll()))
    this.#cancel = () => {
      cancelTimer()
      cancelExit()
    }
  }

  /** Writes all of it down, for somebody who is about to read. */
  async flush(): Promise<void> {
    this.#write()
    await this.#writing
  }

  #writeInTurn(): void {
    this.#writtenAt = this.host.clock.now()
    this.#write()
  }

  /** On a network file system in libuv's pool; whoever works does not wait for it. */
  #write(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const counted = this.#takeAll()
    const { appending } = this.host
    if (this.disk.inThread) countNow(appending, this.layout, counted)
    else this.#writing = this.#writing.then(() => count(appending, this.layout, counted))
  }

  #takeAll(): Parameters<typeof countNow>[2] {
    const at = this.host.clock.wallTime()
    const all = [...this.#keys].map(([id, { key, counts }]) => ({ at, id, key: keyLabel(key), counts }))
    this.#keys.clear()
    return all
  }
}
