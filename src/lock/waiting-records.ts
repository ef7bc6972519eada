/**
 * `<lock>.waiting.<token>.json`: who waits, for people. One a process and lock, however many callers wait in it:
 * a thousand that want one key must not write a thousand records while it is compiled.
 */
import type { Waiter } from '../core/waiter.js'
import type { Disk } from '../host/disk.js'
import { attempt } from '../host/disk-errors.js'
import type { Host } from '../host/host.js'
import { writeRecord } from '../host/small-file.js'

interface Told {
  timeoutMs: number
  label: string | undefined
}

interface Shown {
  path: string
  waits: number
  written: Promise<void>
}

export class WaitingRecords {
  readonly #records = new Map<string, Shown>()

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
    const record = {
      path,
      waits: 0,
      written: attempt(writeRecord(this.disk, path, waiter, processes.token())),
    }
    this.#records.set(lock, record)
    return record
  }

  async #end(lock: string, record: Shown): Promise<void> {
    if (--record.waits > 0) return
    this.#records.delete(lock)
    await record.written
    await attempt(this.disk.unlink(record.path))
  }
}
