/** What a worker would be given, without leasing or making anything. */
import { resolve } from 'node:path'
import { isLatchError } from '../core/errors.js'
import { realHost } from '../host/host.js'
import { openRoot } from '../latch/open.js'
import { type SlotPlace, slotPath } from '../latch/slot-claims.js'
import { Layout } from '../store/layout.js'
import { environmentFor } from './environment.js'
import { namespaceOf } from './namespace.js'
import { findPresets } from './presets/index.js'
import type { WorkerOptions } from './worker.js'

export interface WorkerPreview {
  /** The directory of the slot. */
  path: string
  env: Record<string, string>
  /** Variables that the user has set, and that would be left alone. */
  kept: string[]
}

export async function previewWorker(options: WorkerOptions, slot: number): Promise<WorkerPreview> {
  const place = await placeOf(options)
  const path = slotPath(place, namespaceOf(options.presets, options.key).name, slot)
  const { set, kept } = environmentFor(findPresets(options.presets), path, options.env ?? process.env)
  return { path, env: set, kept }
}

/** Where there is no cache yet, as it would be on a local file system. */
async function placeOf({ cache, locker }: WorkerOptions): Promise<SlotPlace> {
  try {
    return await openRoot(realHost(), cache, { locker, existing: true })
  } catch (error) {
    if (!isLatchError(error, 'NO_CACHE')) throw error
    return { host: realHost(), layout: new Layout(resolve(cache)), locker: { kind: 'kernel' } }
  }
}
