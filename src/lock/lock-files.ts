/**
 * Open lock files. One that was just released is kept open for a second: taking it again then costs two system
 * calls instead of five. Whether the path still names it is checked after every locking, kept or not.
 */
import type { Host } from '../host/host.js'
import type { LockFile } from '../host/lock-file.js'
import type { Native } from '../host/native.js'

/** Long enough for a loop of short locks, short enough to be in nobody's way when unmounting. */
const KEEP_MS = 1_000
const MAX_KEPT = 64

export class LockFiles {
  readonly #kept = new Map<string, { file: LockFile; until: number }>()
  #sweeping = false

  constructor(readonly host: Pick<Host, 'clock' | 'lockFiles'>) {}

  open(path: string): LockFile {
    return this.takeKept(path) ?? this.host.lockFiles.open(path)
  }

  /** The one that is open from the last time. */
  takeKept(path: string): LockFile | undefined {
    const file = this.#kept.get(path)?.file
    if (file) this.#kept.delete(path)
    return file
  }

  isCurrent(file: LockFile): boolean {
    return this.host.lockFiles.isCurrent(file)
  }

  close(file: LockFile): void {
    this.host.lockFiles.close(file)
  }

  /** Unlocks, and keeps the file open for the next taker. */
  release(file: LockFile, native: Native): void {
    if (this.#kept.size >= MAX_KEPT || this.#kept.has(file.path) || !isUnlocked(file, native))
      return this.close(file)
    this.#kept.set(file.path, { file, until: this.host.clock.now() + KEEP_MS })
    if (!this.#sweeping) this.#sweepLater()
  }

  #sweepLater(): void {
    this.#sweeping = true
    this.host.clock.later(KEEP_MS, () => {
      this.#sweeping = false
      this.#closeExpired()
      if (this.#kept.size > 0) this.#sweepLater()
    })
  }

  #closeExpired(): void {
    const now = this.host.clock.now()
    for (const [path, { file, until }] of this.#kept) {
      if (until > now) continue
      this.#kept.delete(path)
      this.close(file)
    }
  }
}

/** `false`: unlocking failed, which closing cannot. */
function isUnlocked({ fd }: LockFile, native: Native): boolean {
  try {
    native.funlock(fd)
    return true
  } catch {
    return false
  }
}
