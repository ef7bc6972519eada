/** Runs one way in a fresh, cold directory, which is gone again afterwards. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOf } from './load.js'
import { measure } from './measure.js'
import type { WayResult } from './measure.js'
import { drawnDigit } from './model.js'
import { runReference } from './reference.js'
import { supervise } from './supervise.js'
import { WAYS } from './ways.js'
import type { Way } from './ways.js'

export type RunOptions = {
  workers?: number
  /** Where the fresh directory is made. Default: the system's directory for temporary files. */
  directory?: string
  signal?: AbortSignal
}

/** Longer than any machine needs: a run that hangs is a finding, and must not hang its reader as well. */
const GIVE_UP_AFTER_MS = 15 * 60_000

/** @throws the signal's reason on abort, TimeoutError when the workers hang; neither leaves a process or a file */
export async function runWay(way: Way, options: RunOptions = {}): Promise<WayResult> {
  const { workers = 8, directory = tmpdir() } = options
  const timeout = AbortSignal.timeout(GIVE_UP_AFTER_MS)
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
  const root = await mkdtemp(join(directory, 'cachelatch-demo-'))
  try {
    const supervised = await supervise({ way, workers, root, signal })
    const reference = digestOf(runReference(drawnDigit()))
    return measure({ ...supervised, way, title: WAYS[way].title, workers, reference })
  } finally {
    await rm(root, { recursive: true, force: true, maxRetries: 5 })
  }
}
