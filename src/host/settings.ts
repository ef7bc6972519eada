/** What comes from the environment. A flag wins over it. */
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { currentUid } from './directories.js'

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
