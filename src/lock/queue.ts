/** One contender a process and lock: the others stand in line here, in order of arrival. */
export class Queue {
  readonly #lines = new Map<string, Array<() => void>>()

  /** Takes the turn if it is free. */
  tryEnter(path: string): boolean {
    if (this.#lines.has(path)) return false
    this.#lines.set(path, [])
    return true
  }

  /** Resolves when it is this caller's turn; rejects with `signal.reason`, having left the line. */
  async enter(path: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const line = this.#lines.get(path)
    if (line === undefined) {
      this.#lines.set(path, [])
      return
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        line.splice(line.indexOf(proceed), 1)
        reject(signal.reason as Error)
      }
      const proceed = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      signal.addEventListener('abort', giveUp, { once: true })
      line.push(proceed)
    })
  }

  /** Passes the turn to the next in line. */
  leave(path: string): void {
    const next = this.#lines.get(path)?.shift()
    if (next) next()
    else this.#lines.delete(path)
  }
}
