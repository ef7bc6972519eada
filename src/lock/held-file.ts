/** A lock file that is ours. */
import type { Host } from '../host/host.js'
import type { LockFile } from '../host/lock-file.js'
import type { LockFiles } from './lock-files.js'
import type { Held } from './mechanism.js'

export class HeldFile implements Held {
  #handedOn = false

  constructor(
    private readonly host: Host,
    private readonly files: LockFiles,
    private readonly file: LockFile,
  ) {}

  get identity(): string {
    return `${this.file.dev}:${this.file.ino}`
  }

  isSure(): boolean {
    return true
  }

  onLost(): void {
    // The kernel tells nobody; `check` finds out.
  }

  async check(): Promise<boolean> {
    return this.files.isCurrent(this.file)
  }

  handOn(): number {
    this.#handedOn = true
    return this.file.fd
  }

  release(): void {
    // Unlocking would take the lock from the child as well; closing only ends our part in it.
    if (this.#handedOn || this.host.native === null) this.files.close(this.file)
    else this.files.release(this.file, this.host.native)
  }
}
