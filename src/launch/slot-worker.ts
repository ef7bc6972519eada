/** A worker in a slot: leased, seeded, watched while the worker runs, published and given back at its end. */
import { attempt } from '../host/disk-errors.js'
import type { Host } from '../host/host.js'
import { type Opened, openRoot } from '../latch/open.js'
import { SLOT_VARIABLE } from '../latch/slot-claims.js'
import type { Lease } from '../lock/locker.js'
import { LatchError } from '../core/errors.js'
import { environmentFor } from './environment.js'
import { waitForFirst } from './hold-back.js'
import { type Namespace, makeNamespace } from './namespace.js'
import type { Preset } from './preset.js'
import { Publisher } from './publisher.js'
import { type Rank, slotNumbers } from './ranks.js'
import { seedSlot } from './seed.js'
import { type Slot, leaseSlot, markEndedWell } from './slots.js'
import type { Snapshot } from './snapshots.js'
import { makeParents } from './unit-files.js'
import type { UnitRules } from './units.js'
import type { PreparedWorker, WorkerOptions } from './worker.js'
import { type WorkerEvent, emitWorkerEvent } from './worker-events.js'

export interface WorkerJob {
  host: Host
  options: WorkerOptions
  presets: readonly Preset[]
  rank: Rank | null
  namespace: Namespace
  rules: UnitRules
}

const DEFAULT_MAX_SLOTS = 256
/** On a disk with less, a worker could not write a single file into a warm slot. */
const FULL_BELOW_BYTES = 64 * 1024
const DEFAULT_SETTLE_MS = 5_000

export async function prepareInSlot(job: WorkerJob): Promise<PreparedWorker> {
  const { host, options, namespace, rank } = job
  const opened = await openRoot(host, options.cache, { locker: options.locker, staleMs: options.staleMs })
  await makeNamespace(opened.disk, opened.layout, namespace)
  if (host.directories.freeBytes(opened.layout.root) < FULL_BELOW_BYTES) throw full(opened.layout.root)
  const first = options.once ? await heldBack(opened, job) : null
  try {
    const maxSlots = options.maxSlots ?? DEFAULT_MAX_SLOTS
    const slot = await leaseSlot(opened, namespace, slotNumbers(rank, maxSlots))
    if (slot === null) throw allLeased(maxSlots, opened.layout.root)
    try {
      return await seeded(opened, job, slot, first)
    } catch (error) {
      // On a full disk, a slot seeded in part would keep it full.
      if (!isLost(slot)) await attempt(opened.disk.removeTree(slot.path))
      await attempt(slot.lease.release())
      throw error
    }
  } catch (error) {
    await attempt(first?.release() ?? Promise.resolve())
    throw error
  }
}

async function heldBack(opened: Opened, { options, host, namespace }: WorkerJob): Promise<Lease | null> {
  const { timeoutMs, onWait, signal, name: worker = '' } = options
  const started = host.clock.now()
  const lease = await waitForFirst(opened, namespace, { timeoutMs, onWait, signal })
  const waitedMs = host.clock.now() - started
  emitWorkerEvent({ type: 'worker-held-back', worker, waitedMs }, options.onEvent)
  return lease
}

async function seeded(
  opened: Opened,
  job: WorkerJob,
  slot: Slot,
  first: Lease | null,
): Promise<PreparedWorker> {
  const { host, options, presets, namespace, rules } = job
  const { path, number } = slot
  const worker = options.name ?? String(number)
  const tell = (event: WorkerEvent): void => emitWorkerEvent(event, options.onEvent)
  tell({ type: 'worker-prepared', worker, slot: number, path })

  const started = host.clock.now()
  const { units, files, bytes } = await seedSlot(opened, namespace, path, rules, slot.present)
  const elapsedMs = host.clock.now() - started
  tell({ type: 'worker-seeded', worker, units: units.size, files, bytes, elapsedMs })

  const environment = environmentFor(presets, path, options.env ?? process.env)
  const made = new Set<string>()
  for (const directory of environment.directories)
    await makeParents(opened.disk, path, `${directory}/.`, made)
  if (environment.kept.length > 0) tell({ type: 'variables-kept', worker, names: environment.kept })

  const { settleMs = DEFAULT_SETTLE_MS } = options
  const publisher = publisherOf(opened, job, { slot, units, first, settleMs }, tell)
  await publisher.begin()
  if (isLost(slot)) throw lostBefore(slot)
  return {
    path,
    slot: number,
    env: { ...environment.set, [SLOT_VARIABLE]: path },
    keepOpen: slot.lease.handOn(),
    started: (pid) => {
      if (settleMs > 0) publisher.watch(pid)
    },
    async ended(exitCode) {
      tell({ type: 'worker-ended', worker, exitCode })
      try {
        const well = exitCode === 0 && (await isLeftAlone(host, path)) && !isLost(slot)
        await publisher.end(well)
        const present = well ? await publisher.present() : null
        if (present && !isLost(slot)) await markEndedWell(opened, slot, present)
      } finally {
        await attempt(slot.lease.release())
        await attempt(first?.release() ?? Promise.resolve())
      }
    },
  }
}

/**
 * A wrapper that stood still for too long, or whose lock was deleted, shares the slot with its successor's worker. Where
 * the worker has inherited the lock (flock, or the gate), that takes a deletion; where there is neither, being stopped
 * is enough:
 *   A: leases the slot, is stopped     B: takes the dead lock over, starts its worker
 *   A: must start none, and publish nothing of what B's writes there
 */
function isLost({ lease }: Slot): boolean {
  return lease.signal.aborted
}

function lostBefore({ lease, path }: Slot): LatchError {
  return new LatchError('LOCK_UNAVAILABLE', `The slot was lost before its worker was started: ${path}`, {
    hint: 'Its lock was deleted, or this process stood still for longer than the stale time: then another has the slot.',
    path,
    cause: lease.signal.reason,
  })
}

/** Helpers of a worker end a little later than it does: Python's resource tracker, a pool of compilers. */
const HELPERS_END_WITHIN_MS = 2_000
const LOOK_EVERY_MS = 50

/** `false`: the worker has left a process behind, which may write at any time. */
async function isLeftAlone({ clock, processes }: Host, slot: string): Promise<boolean> {
  const end = clock.now() + HELPERS_END_WITHIN_MS
  while (processes.startedWith(SLOT_VARIABLE, slot).length > 0) {
    if (clock.now() > end) return false
    await clock.sleep(LOOK_EVERY_MS)
  }
  return true
}

interface Placed {
  slot: Slot
  /** What the slot has of the snapshot. */
  units: Snapshot
  /** Held as long as others are held back. */
  first: Lease | null
  settleMs: number
}

function publisherOf(
  opened: Opened,
  { options, namespace, rules }: WorkerJob,
  { slot, units, first, settleMs }: Placed,
  tell: (event: WorkerEvent) => void,
): Publisher {
  const worker = options.name ?? String(slot.number)
  const initially = units.size
  return new Publisher(opened, {
    namespace,
    slot: slot.path,
    rules,
    settleMs,
    seeded: units,
    onPublished: (published) => tell({ type: 'worker-published', worker, ...published }),
    onQuiet: () => void (first && units.size > initially && attempt(first.release())),
    onTrouble: (error, unit) => tell({ type: 'worker-degraded', worker, unit, error }),
  })
}

function full(path: string): LatchError {
  return new LatchError('DISK_FULL', `The disk of the cache is full (ENOSPC): ${path}`, {
    hint: 'Free space or inodes there, such as with `cachelatch gc --max-size`, or use another disk.',
    path,
  })
}

function allLeased(maxSlots: number, path: string): LatchError {
  return new LatchError('SLOTS_TAKEN', `All ${maxSlots} slots are leased.`, {
    hint: 'Allow more (`maxSlots`; on the command line --slots), or look who has them (`cachelatch status`).',
    path,
  })
}
