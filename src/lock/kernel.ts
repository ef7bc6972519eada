/**
 * The kernel lock: flock(2) on `<path>.lock`, a regular file that is never deleted.
 *
 * Invariants:
 * - A lock counts only once descriptor and path are seen to be the same file *after* locking. Without that:
 *     A holds the file; somebody deletes it; B creates a new one and locks it; both are inside.
 * - One family of locks for all contenders: flock, as Python's filelock, cargo and util-linux take. It excludes
 *   no fcntl lock, and none excludes it.
 * - The lock belongs to the open file description. It ends when the last process that has it open is gone, so a
 *   killed holder is succeeded at once, and a descriptor handed on keeps the lock for the child.
 * - Nobody waits in libuv's pool: its four threads are everybody's. flock(1) waits on our descriptor instead
 *   and can be killed, whether or not we hold the lock by then.
 */
import type { Disk } from '../host/disk.js'
import type { Host } from '../host/host.js'
import type { LockFile } from '../host/lock-file.js'
import type { LockMode, Native } from '../host/native.js'
import { LockFiles } from './lock-files.js'
import type { Locker } from './locker.js'
import { createLocker } from './frame.js'
import type { Held, Manner, Mechanism } from './mechanism.js'

/** Most contenders of a short lock get it within these tries, for less than a helper process costs (3 ms). */
const QUICK_TRIES_MS = [1, 2, 4]
/** Only where no flock(1) can wait in the kernel: on macOS, or while no more processes may be started. */
const POLL_MS = 25

export function createKernelLocker(host: Host, disk: Disk): Locker {
  return createLocker(host, disk, kernelMechanism(host))
}

/** Whether this machine has any way to take the lock at all. */
export async function hasKernelLock(host: Host): Promise<boolean> {
  return host.native !== null || (await host.flockCommand.isThere())
}

export function kernelMechanism(host: Host): Mechanism {
  const files = new LockFiles(host)
  const lockPath = (path: string): string => `${path}.lock`

  async function flockByCommand(fd: number, mode: LockMode): Promise<boolean> {
    return (await host.flockCommand.once(fd, mode)) === 'locked'
  }

  function flock(fd: number, mode: LockMode): boolean | Promise<boolean> {
    return host.native ? host.native.flock(fd, mode) : flockByCommand(fd, mode)
  }

  /** Opens and locks; `null` when `locking` did not get it. Nothing stays open on any other way out. */
  async function lockWith(path: string, locking: (fd: number) => Promise<boolean>): Promise<Held | null> {
    for (;;) {
      const file = files.open(lockPath(path))
      let holds = false
      try {
        if (!(await locking(file.fd))) return null
        holds = files.isCurrent(file)
        if (holds) return new HeldFile(host, files, file)
      } finally {
        if (!holds) files.close(file)
      }
    }
  }

  /** The same in one go. */
  function lockNow(path: string, native: Native, mode: LockMode): Held | null {
    for (;;) {
      const file = files.open(lockPath(path))
      let holds = false
      try {
        if (!native.flock(file.fd, mode)) return null
        holds = files.isCurrent(file)
        if (holds) return new HeldFile(host, files, file)
      } finally {
        if (!holds) files.close(file)
      }
    }
  }

  function tryTake(path: string, manner: Manner): Held | null | Promise<Held | null> {
    const mode = modeOf(manner)
    return host.native ? lockNow(path, host.native, mode) : lockWith(path, (fd) => flockByCommand(fd, mode))
  }

  /** `null`: no flock(1) that could wait. */
  async function waitInKernel(path: string, mode: LockMode, signal: AbortSignal): Promise<Held | null> {
    if (!(await host.flockCommand.isThere())) return null
    return lockWith(path, async (fd) => (await host.flockCommand.waiting(fd, mode, signal)) === 'locked')
  }

  async function take(path: string, signal: AbortSignal, manner: Manner): Promise<Held> {
    for (const ms of QUICK_TRIES_MS) {
      await host.clock.sleep(ms, signal)
      const held = await tryTake(path, manner)
      if (held !== null) return held
    }
    for (;;) {
      const held = (await waitInKernel(path, modeOf(manner), signal)) ?? (await tryTake(path, manner))
      if (held !== null) return held
      await host.clock.sleep(POLL_MS, signal)
    }
  }

  const { native } = host
  const shares = {
    ...(native && { holdAtOnce: (fd: number) => native.flock(fd, 'shared') }),
    hold: (fd: number) => flock(fd, 'shared'),
    claim: (fd: number) => flock(fd, 'exclusive'),
  }
  return { kind: 'kernel', canShare: true, lockPath, tryTake, take, shares }
}

function modeOf({ shared }: Manner): LockMode {
  return shared ? 'shared' : 'exclusive'
}

class HeldFile implements Held {
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
