/**
 * What a file that is written again and again may contain: what was written last, or is being written just now. A
 * write that has ended is not undone by anything, and no earlier one comes back over it.
 */
import type { Process } from './process.js'

interface Write {
  begun: number
  /** `Infinity`: still under way, or its writer was killed, and it may yet come, or have come. */
  ended: number
  /** Whether it was reported written, without a warning. */
  lasts: boolean
}

export class Register {
  readonly #writes = new Map<string, Write>()
  /** Writes that have ended well, by their end. */
  readonly #lasting: Write[] = []

  constructor(
    private readonly now: () => number,
    private readonly report: (what: string) => void,
  ) {}

  /** Returns what to call when it has ended well. */
  begin(version: string): (lasts: boolean) => void {
    const write: Write = { begun: this.now(), ended: Number.POSITIVE_INFINITY, lasts: false }
    this.#writes.set(version, write)
    return (lasts) => {
      write.ended = this.now()
      write.lasts = lasts
      if (lasts) this.#lasting.push(write)
    }
  }

  /** Somebody begins to read; returns what to call with the version that was read, `null` for none. */
  reading(): (version: string | null, by?: Process) => void {
    const before = [...this.#lasting]
    return (version, by) => {
      const seen = version === null ? { ended: Number.NEGATIVE_INFINITY } : this.#writes.get(version)
      if (seen === undefined) return this.report(`nobody has ever written ${version}`)
      const later = before.find(({ begun }) => begun > seen.ended)
      if (later)
        this.report(
          `${by?.name ?? 'the witness'} finds ${version ?? 'nothing'}, and a write from ${later.begun} to ${later.ended} came after it`,
        )
    }
  }
}
