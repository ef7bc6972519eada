/** The four ways to run the same workers. */
import type { Kernel } from './compiler.js'
import type { Outcome, Tell } from './messages.js'

export type Way = 1 | 2 | 3 | 4

/** A compiled model in the hands of a worker; released when the worker no longer needs the files. */
export type Obtained = { kernels: Kernel[]; outcome: Outcome; release: () => Promise<void> }
export type Obtain = (root: string, tell: Tell) => Promise<Obtained>

type WayFacts = {
  title: string
  /** Loaded by the worker alone, so that each pays for its own way only. */
  obtain: () => Promise<Obtain>
  directoryPerWorker: boolean
  killHalfway: boolean
}

const fileCache = async () => (await import('./obtain-by-file-cache.js')).obtainByFileCache
const latch = async () => (await import('./obtain-by-latch.js')).obtainByLatch

export const WAYS: Record<Way, WayFacts> = {
  1: { title: 'shared directory, no lock', obtain: fileCache, directoryPerWorker: false, killHalfway: false },
  2: { title: 'a directory per worker', obtain: fileCache, directoryPerWorker: true, killHalfway: false },
  3: { title: 'cachelatch', obtain: latch, directoryPerWorker: false, killHalfway: false },
  4: {
    title: 'cachelatch, compiling worker killed',
    obtain: latch,
    directoryPerWorker: false,
    killHalfway: true,
  },
}

export const ALL_WAYS: readonly Way[] = [1, 2, 3, 4]
