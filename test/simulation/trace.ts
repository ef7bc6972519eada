/** What happened, for people, and a number that two runs share only when all of it was the same. */
const SHOWN = 4000

export class Trace {
  readonly #lines: string[] = []
  #hash = 0x811c9dc5

  constructor(private readonly now: () => number) {}

  add(who: string, what: string): void {
    const line = `${this.now().toFixed(3).padStart(14)}  ${who.padEnd(8)} ${what}`
    this.#lines.push(line)
    if (this.#lines.length > 2 * SHOWN) this.#lines.splice(0, SHOWN)
    // FNV-1a.
    for (let index = 0; index < line.length; index++)
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(index), 0x01000193)
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  /** The end of it: what comes before has mostly nothing to do with what went wrong. */
  last(count = SHOWN): string {
    return this.#lines.slice(-count).join('\n')
  }
}
