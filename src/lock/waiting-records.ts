/**
 * `<lock>.waiting.<token>.json`: who waits, for people. One a process and lock, however many callers wait in it:
 * a thousand that want one key must not write a thousand records while it is compiled.
 */
import type { Waiter } from '../core/waiter.js'
import type { Disk } from '../host/disk.js'
import { attempt, orElse } from '../host/disk-errors.js'
import type { Host } from '../host/host.js'
import { writeRecord } from '../host/small-file.js'

interface Told {
  timeoutMs: number
  label: string | undefined
}

interface Shown {
  path: string
  waits: number
  /** Whether it was. */
  written: Promise<boolean>
}

export class WaitingRecords {
  readonly #records = new Map<string, Shown>()
  /** Waits that are over, and whose records the disk has kept: while we live, people take each for a wait. */
  readonly #kept = new Set<string>()

  constructor(
    readonly host: Host,
    readonly disk: Disk,
  ) {}

  /** A wait for `lock` is worth telling of, since `since`. Returns the way to say that it is over. */
  tell(lock: string, since: number, { timeoutMs, label }: Told): () => Promise<void> {
    const record = this.#records.get(lock) ?? this.#write(lock, since, { timeoutMs, label })
    record.waits++
    return () => this.#end(lock, record)
  }

  #write(lock: string, since: number, { timeoutMs, label }: Told): Shown {
    const { processes } = this.host
    const path = `${lock}.waiting.${processes.token()}.json`
    const deadline = Number.isFinite(timeoutMs) ? since + timeoutMs : null
    const waiter: Waiter = { owner: processes.asOwner(since), label: label ?? null, deadline }
    const written = writeRecord(this.disk, path, waiter, processes.token()).then(
      () => true,
      () => false,
    )
    const record = { path, waits: 0, written }
    this.#records.set(lock, record)
    return record
  }

  async #end(lock: string, record: Shown): Promise<void> {
    if (--record.waits > 0) return
    this.#records.delete(lock)
    if (await record.written) this.#kept.add(record.path)
    else await attempt(this.disk.unlink(record.path))
    await Promise.all([...this.#kept].map((path) => this.#remove(path)))
  }

  async #remove(path: string): Promise<void> {
    try {
      await orElse(this.disk.unlink(path), undefined, 'ENOENT', 'ENOTDIR')
      this.#kept.delete(path)
    } catch {
      // Tried again when the next wait is over.
    }
  }
}
