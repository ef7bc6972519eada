/**
 * One unmodified worker: a slot, seeded, and the environment that leads the worker's caches there. For launchers that
 * start their workers themselves; workers.ts starts them as well.
 *
 * A trouble with the cache never keeps a worker from starting: it gets a private directory, and where none can be
 * made, what it would have had without us.
 */
import { LatchError } from '../core/errors.js'
import type { Key } from '../core/key.js'
import { explain, isCacheTrouble } from '../host/disk-errors.js'
import { type Host, realHost } from '../host/host.js'
import type { OpenOptions } from '../latch/open.js'
import type { Wait } from '../lock/locker.js'
import { namespaceOf } from './namespace.js'
import { prepareInPrivate } from './private-worker.js'
import type { Preset } from './preset.js'
import { findPresets } from './presets/index.js'
import { rankOf } from './ranks.js'
import { prepareInSlot } from './slot-worker.js'
import { rulesOf } from './units.js'
import type { WorkerEvent } from './worker-events.js'

export interface WorkerOptions extends Pick<OpenOptions, 'locker' | 'staleMs'> {
  /** The cache's root directory. */
  cache: string
  /** Names of presets, or presets of the caller's own. */
  presets: readonly (string | Preset)[]
  /** Separates slots and snapshots that are of no use to each other: an image, a driver. Default: none. */
  key?: Key | undefined
  /** At most so many slots: who finds all leased gets a private directory. Default 256. */
  maxSlots?: number | undefined
  /** Files that have been still for so long are published while the worker runs. Default 5000; 0: only at its end. */
  settleMs?: number | undefined
  /** Holds replicas back until the first has published. Refused for ranks of a distributed job, unless `force`. */
  once?: boolean | 'force' | undefined
  /** Longest wait with `once`, in milliseconds. Default one hour. */
  timeoutMs?: number | undefined
  onWait?: ((wait: Wait) => void) | undefined
  /** Ends the waiting with `once`: rejects with its reason. */
  signal?: AbortSignal | undefined
  /** What the worker is started with otherwise. Default: this process's. */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /** Names the worker in events. Default: its slot. */
  name?: string | undefined
  onEvent?: ((event: WorkerEvent) => void) | undefined
}

export interface PreparedWorker {
  /** The worker's own directory; `null`: none could be made, and the worker is on its own. */
  readonly path: string | null
  /** `null`: the directory is a private one. */
  readonly slot: number | null
  /** To be added to the worker's environment. */
  readonly env: Record<string, string>
  /** To be inherited by the worker, as any descriptor: while it is open, the slot is nobody else's. */
  readonly keepOpen: number | null
  /** Begins to publish what the worker leaves still. With its `pid`, nothing that it was killed in the middle of. */
  started: (pid?: number) => void
  /** Publishes what is new, and lets go of the slot. @param exitCode 0: it ended well, and its files are whole */
  ended(exitCode: number): Promise<void>
}

/**
 * Leases and seeds a slot for one worker.
 * @throws LatchError ONCE_REFUSED, PRESET_INVALID; never for a trouble with the cache
 */
export async function prepareWorker(options: WorkerOptions): Promise<PreparedWorker> {
  return prepareWorkerOn(realHost(), options)
}

/** As `prepareWorker`, on a host of the caller's making: for tests. */
export async function prepareWorkerOn(host: Host, options: WorkerOptions): Promise<PreparedWorker> {
  const presets = findPresets(options.presets)
  const rank = rankOf(options.env ?? process.env)
  if (options.once === true && rank) throw refusedOnce(rank.launcher)
  const job = {
    host,
    options,
    presets,
    rank,
    namespace: namespaceOf(options.presets, options.key),
    rules: rulesOf(presets),
  }
  try {
    return await prepareInSlot(job)
  } catch (error) {
    const trouble = explain(error, 'Preparing a worker', options.cache)
    if (!isCacheTrouble(trouble)) throw trouble
    return prepareInPrivate(job, trouble)
  }
}

function refusedOnce(launcher: string): LatchError {
  return new LatchError(
    'ONCE_REFUSED',
    `This is a rank of a distributed job (${launcher}), and its ranks wait for each other.`,
    {
      hint: 'Leave `once` out: holding one rank back would stop all. For replicas, unset the variables of the launcher.',
    },
  )
}
