/** Looks at what is published while others replace and remove it: what is still there after a bad look is bad. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkDirectory, checkEntry, checkFile, entriesIn } from '../../test/support/checker.js'
import { DAMAGED_KEYS } from './names.js'

export class Inspection {
  looks = 0
  /** Told once. */
  readonly #known = new Set<string>()

  constructor(private readonly complain: (what: string) => void) {}

  lookAtCache(root: string): void {
    for (const entry of entriesIn(root)) this.#look(entry, () => isSpoilt(entry) || checkEntry(entry))
  }

  /** Files and directories that are replaced all the time. */
  lookAtPlaced(directory: string): void {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name)
      if (name.startsWith('file-')) this.#look(path, () => checkFile(path))
      if (name.startsWith('directory-')) this.#look(path, () => checkDirectory(path))
    }
  }

  #look(path: string, check: () => unknown): void {
    const before = identify(path)
    if (before === null) return
    this.looks++
    try {
      check()
    } catch (error) {
      // Moved away, or exchanged, while we were reading.
      if (identify(path) !== before || this.#known.has(`${path} ${before}`)) return
      this.#known.add(`${path} ${before}`)
      this.complain(error instanceof Error ? error.message : String(error))
    }
  }
}

/** Damage that the soak itself has made. */
function isSpoilt(entry: string): boolean {
  return DAMAGED_KEYS.test(readFileSync(join(entry, 'MANIFEST.json'), 'utf8'))
}

function identify(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? null : `${stats.dev}:${stats.ino}:${stats.ctimeMs}`
}
