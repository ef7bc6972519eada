/** One way to share a compiled result. */
import type { Compile } from '../artefact.js'

export interface Way {
  /** Gets the result of `compile`, compiled here or found; returns the directory that it is in. */
  obtain(place: string, compile: Compile, tell: (what: 'waiting') => void): Promise<string>
}

/** A lock that is older than this, or whose heart has not beaten for so long, is taken for a dead one's: in all ways. */
export const STALE_MS = 5_000
export const POLL_MS = 50
