/**
 * The lock for file systems on which kernel locks cannot be trusted (network, FUSE, unknown): proper-lockfile's
 * directory and heartbeat, made safe by held-directory.ts (atomic take, release and takeover), observer.ts (who is
 * dead), heartbeat.ts (off the main thread) and gate.ts (one contender a host).
 *
 * What can still go wrong, and costs work only: a holder that is stopped, starved or cut off from the server for
 * longer than the stale time is succeeded while it still works. Its `lease.signal` aborts as soon as its event loop
 * turns again, and whoever reads `lease.signal` knows at once: as long as it reads as not aborted, nobody else can have
 * been in (pulse.ts has the argument). Publishing keeps the cache right all the same.
 */
import type { Disk } from '../host/disk.js'
import { attempt } from '../host/disk-errors.js'
import type { Host } from '../host/host.js'
import { type Gate, type Pass, openGate } from './gate.js'
import { type Heartbeat, heartbeatOf } from './heartbeat.js'
import { HeldDirectory } from './held-directory.js'
import type { Locker } from './locker.js'
import { createLocker } from './frame.js'
import type { Held, Manner, Mechanism } from './mechanism.js'
import { Observer } from './observer.js'
import type { Pulse } from './pulse.js'

/** Four heartbeats; a holder whose heart has not beaten for so long gives its lock up by itself. */
const DEFAULT_STALE_MS = 15_000
/** Others wait half as long again before they take over, so that the holder knows first. */
const PATIENCE = 1.5
const FIRST_POLL_MS = 20
const LAST_POLL_MS = 500

export interface LockfileOptions {
  staleMs?: number
  /** Host-local directory for gates; `null`: none. */
  gateDirectory?: string | null
}

export function createLockfileLocker(host: Host, disk: Disk, options: LockfileOptions = {}): Locker {
  return createLocker(host, disk, lockfileMechanism(host, disk, options))
}

function lockfileMechanism(host: Host, disk: Disk, options: LockfileOptions): Mechanism {
  const staleMs = options.staleMs ?? DEFAULT_STALE_MS
  const directory = options.gateDirectory === undefined ? host.directories.gate() : options.gateDirectory
  const heartbeat = heartbeatOf(host)
  let opening: Promise<Gate | null> | undefined
  const openedGate = (): Promise<Gate | null> =>
    (opening ??= directory === null ? Promise.resolve(null) : openGate(host, directory))
  const observe = (path: string): Observer =>
    new Observer(host.clock, new HeldDirectory(disk, path), staleMs * PATIENCE)

  async function tryTake(path: string, { alone }: Manner): Promise<Held | null> {
    const gate = alone ? null : await openedGate()
    const pass = gate ? await gate.tryEnter(path) : null
    if (gate && pass === null) return null
    return leavingOnFailure(pass, takeOnce(path, pass))
  }

  async function take(path: string, signal: AbortSignal, { alone }: Manner): Promise<Held> {
    heartbeat.getReady()
    const observer = observe(path)
    const gate = alone ? null : await openedGate()
    const pass = gate ? await enterOrGoRound(gate, path, observer, signal) : null
    return leavingOnFailure(pass, takeByPolling(path, pass, observer, signal))
  }

  async function takeByPolling(
    path: string,
    pass: Pass | null,
    observer: Observer,
    signal: AbortSignal,
  ): Promise<Held> {
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, LAST_POLL_MS)) {
      signal.throwIfAborted()
      const held = await takeOnce(path, pass)
      if (held !== null) return held
      const { token, stale } = await observer.look()
      if (stale && token !== null) await observer.held.remove(token)
      else await host.clock.sleep(pollMs * (0.75 + host.processes.random() / 2), signal)
    }
  }

  async function takeOnce(path: string, pass: Pass | null): Promise<Held | null> {
    const directory = new HeldDirectory(disk, path)
    const holder = await directory.holder()
    if (holder !== null) {
      const isDead = pass !== null && (await pass.predecessor()) === holder
      if (!isDead) return null
      await directory.remove(holder)
    }
    const token = host.processes.token()
    if (pass) await attempt(pass.announce(token))
    const pulse = await heartbeat.takeAndBeat(path, token, staleMs)
    if (pulse === null) return null
    if (pulse.isSure()) return hold(heartbeat, directory, path, { token, pulse, pass })
    // Starved since the take: it may be somebody else's by now, so it is taken anew.
    await heartbeat.releaseAndRest(path, token)
    return null
  }

  /**
   * Waits at the gate, but not behind a process that holds it without its heart beating (stopped, or cut off): when
   * nothing has moved for the patience time, goes to the network without a pass.
   */
  async function enterOrGoRound(
    gate: Gate,
    path: string,
    observer: Observer,
    signal: AbortSignal,
  ): Promise<Pass | null> {
    const round = new AbortController()
    const watch = async (): Promise<void> => {
      while (!(await observer.look()).stale) await host.clock.sleep(staleMs / 4, round.signal)
    }
    const entering = gate.enter(path, AbortSignal.any([signal, round.signal]))
    // Whichever ends first ends the other; the gate may be entered in that very moment, so its word counts.
    // A look that fails ends the watching too: the network lock is tried then, and says what is wrong.
    const watching = attempt(watch()).then(() => round.abort())
    try {
      return await entering
    } catch (error) {
      signal.throwIfAborted()
      if (!round.signal.aborted) throw error
      return null
    } finally {
      round.abort()
      await watching
    }
  }

  return { kind: 'lockfile', canShare: false, lockPath: (path) => `${path}.held`, tryTake, take }
}

function hold(
  heartbeat: Heartbeat,
  directory: HeldDirectory,
  path: string,
  { token, pulse, pass }: { token: string; pulse: Pulse; pass: Pass | null },
): Held {
  return {
    isSure: () => pulse.isSure(),
    onLost: (lost) => heartbeat.whenLost(token, lost),
    check: () => directory.isHeldBy(token),
    // The heart stops with this process: other hosts take the lock over, but on this one the gate stays shut.
    handOn: () => pass?.handOn() ?? null,
    async release() {
      try {
        await heartbeat.releaseAndRest(path, token)
      } finally {
        await pass?.leave()
      }
    },
  }
}

async function leavingOnFailure<H extends Held | null>(pass: Pass | null, taking: Promise<H>): Promise<H> {
  let held: H | null = null
  try {
    held = await taking
    return held
  } finally {
    if (held === null) await pass?.leave()
  }
}
