/**
 * Those in a process who want one lock stand in line here, in order of arrival: one at a time goes to the lock itself,
 * or all who share it and stand next to each other.
 */
interface Line {
  inside: number
  /** Whether those inside share the lock. */
  shared: boolean
  waiting: { shared: boolean; proceed: () => void }[]
}

export class Queue {
  readonly #lines = new Map<string, Line>()

  /** Takes the turn if it is free. */
  tryEnter(path: string, shared = false): boolean {
    const line = this.#lines.get(path)
    if (line === undefined) {
      this.#lines.set(path, { inside: 1, shared, waiting: [] })
      return true
    }
    // Not past somebody who waits: sharers that keep coming would keep it waiting for ever.
    if (!shared || !line.shared || line.waiting.length > 0) return false
    line.inside++
    return true
  }

  /** Resolves when it is this caller's turn; rejects with `signal.reason`, having left the line. */
  async enter(path: string, shared: boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.tryEnter(path, shared)) return
    const line = this.#lines.get(path)!
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        line.waiting.splice(line.waiting.indexOf(place), 1)
        // It may have been all that stood between sharers.
        this.#moveUp(path, line)
        reject(signal.reason as Error)
      }
      const proceed = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const place = { shared, proceed }
      signal.addEventListener('abort', giveUp, { once: true })
      line.waiting.push(place)
    })
  }

  /** Passes the turn to the next in line. */
  leave(path: string): void {
    const line = this.#lines.get(path)
    if (line === undefined) return
    line.inside--
    this.#moveUp(path, line)
  }

  #moveUp(path: string, line: Line): void {
    for (let [next] = line.waiting; next; [next] = line.waiting) {
      if (line.inside > 0 && !(line.shared && next.shared)) return
      line.waiting.shift()
      line.inside++
      line.shared = next.shared
      next.proceed()
    }
    if (line.inside === 0) this.#lines.delete(path)
  }
}
