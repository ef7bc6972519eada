/** How far gc is, for who wants to know. */
export interface GcProgress {
  step: 'leftovers' | 'looking' | 'removing'
  /** How many entries, units and slots there are, as far as was looked. */
  entries: number
  removed: number
  /** How many are to be removed; one that is in use may stay. */
  toRemove: number
  freedBytes: number
}

export class GcWatch {
  #progress: GcProgress = { step: 'leftovers', entries: 0, removed: 0, toRemove: 0, freedBytes: 0 }

  constructor(readonly onProgress: ((progress: GcProgress) => void) | undefined) {
    onProgress?.(this.#progress)
  }

  tell(changes: Partial<GcProgress>): void {
    if (this.onProgress === undefined) return
    this.#progress = { ...this.#progress, ...changes }
    this.onProgress(this.#progress)
  }

  removed(bytes: number): void {
    const { removed, freedBytes } = this.#progress
    this.tell({ removed: removed + 1, freedBytes: freedBytes + bytes })
  }
}
