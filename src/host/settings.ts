/** What comes from the environment. A flag wins over it. */
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { currentUid } from './directories.js'

/** Every variable that is read, and what it does, for people. */
export const SETTINGS = {
  CACHELATCH_DIR: "the command's cache directory (cachelatch in XDG_CACHE_HOME, else ~/.cache/cachelatch)",
  CACHELATCH_GATE_DIR: 'where a host keeps the gates of its network locks (the temporary directory)',
  TERM: 'on a `dumb` terminal no line is redrawn',
  XDG_CACHE_HOME: "the user's cache directory (~/.cache)",
} as const

/** CACHELATCH_DIR, else the user's cache directory (XDG Base Directory Specification). */
export function defaultCacheDirectory(): string {
  const { CACHELATCH_DIR, XDG_CACHE_HOME } = process.env
  return CACHELATCH_DIR || join(XDG_CACHE_HOME || userCache(), 'cachelatch')
}

/** A user without a name and without HOME, as in some containers, has no home. */
function userCache(): string {
  try {
    return join(homedir(), '.cache')
  } catch {
    return join(tmpdir(), `cache-${currentUid()}`)
  }
}
