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
import { HeldFile } from './held-file.js'
import type { Held, Manner, Mechanism } from './mechanism.js'

/**
 * When to look before a helper process is started, which costs 3 ms of CPU, and a look 30 µs. Whoever has waited
 * longer looks more often, and so is likely to be next. (`npm run bench -- --only handover`: 32 processes that hold a
 * lock for a millisecond each needed 1.4 times the sum of that with three looks, 1.2 with these, at half the CPU.)
 */
const LOOKS_MS = [1, 2, 4, ...times(5, 8), ...times(8, 4), ...times(10, 2), ...times(60, 1)]
/** For what will be held for long: a build. */
const FEW_LOOKS_MS = [1, 2, 4]
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
  const { native } = host
  const files = new LockFiles(host)
  const lockPath = (path: string): string => `${path}.lock`

  async function flockByCommand(fd: number, mode: LockMode): Promise<boolean> {
    return (await host.flockCommand.once(fd, mode)) === 'locked'
  }

  function flock(fd: number, mode: LockMode): boolean | Promise<boolean> {
    return native ? native.flock(fd, mode) : flockByCommand(fd, mode)
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
      const tried = lockOpen(files.open(lockPath(path)), native, mode)
      if (tried !== 'replaced') return tried
    }
  }

  function lockAgain(path: string, native: Native, mode: LockMode): Held | null {
    const file = files.takeKept(lockPath(path))
    const tried = file ? lockOpen(file, native, mode) : null
    return tried === 'replaced' ? null : tried
  }

  /** `null`: somebody else holds it. Whoever does not get it has closed it. */
  function lockOpen(file: LockFile, native: Native, mode: LockMode): Held | null | 'replaced' {
    let holds = false
    try {
      if (!native.flock(file.fd, mode)) return null
      holds = files.isCurrent(file)
      return holds ? new HeldFile(host, files, file) : 'replaced'
    } finally {
      if (!holds) files.close(file)
    }
  }

  function tryTake(path: string, manner: Manner): Held | null | Promise<Held | null> {
    const mode = modeOf(manner)
    return native ? lockNow(path, native, mode) : lockWith(path, (fd) => flockByCommand(fd, mode))
  }

  /** `null`: it was never free, or its file was replaced. A look is a turn of the event loop and one system call. */
  async function lookOften(
    path: string,
    native: Native,
    manner: Manner,
    signal: AbortSignal,
  ): Promise<Held | null> {
    const file = files.open(lockPath(path))
    let holds = false
    try {
      for (const ms of manner.announce ? FEW_LOOKS_MS : LOOKS_MS) {
        // Not with the signal: to listen, each time, costs as much as the look.
        await host.clock.sleep(ms)
        signal.throwIfAborted()
        if (!native.flock(file.fd, modeOf(manner))) continue
        holds = files.isCurrent(file)
        return holds ? new HeldFile(host, files, file) : null
      }
      return null
    } finally {
      if (!holds) files.close(file)
    }
  }

  /** `null`: no flock(1) that could wait. */
  async function waitInKernel(path: string, mode: LockMode, signal: AbortSignal): Promise<Held | null> {
    if (!(await host.flockCommand.isThere())) return null
    return lockWith(path, async (fd) => (await host.flockCommand.waiting(fd, mode, signal)) === 'locked')
  }

  async function take(path: string, signal: AbortSignal, manner: Manner): Promise<Held> {
    const held = native && (await lookOften(path, native, manner, signal))
    if (held) return held
    for (;;) {
      const got = (await waitInKernel(path, modeOf(manner), signal)) ?? (await tryTake(path, manner))
      if (got !== null) return got
      await host.clock.sleep(POLL_MS, signal)
    }
  }

  const shares = {
    ...(native && { holdAtOnce: (fd: number) => native.flock(fd, 'shared') }),
    hold: (fd: number) => flock(fd, 'shared'),
    claim: (fd: number) => flock(fd, 'exclusive'),
  }
  const tryAgain = native
    ? (path: string, manner: Manner) => lockAgain(path, native, modeOf(manner))
    : undefined
  return { kind: 'kernel', canShare: true, lockPath, tryTake, tryAgain, take, shares }
}

function times(count: number, ms: number): number[] {
  return Array.from({ length: count }, () => ms)
}

function modeOf({ shared }: Manner): LockMode {
  return shared ? 'shared' : 'exclusive'
}
