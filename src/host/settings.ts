/** What comes from the environment. A flag wins over it. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** CACHELATCH_DIR, else the user's cache directory (XDG Base Directory Specification). */
export function defaultCacheDirectory(): string {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return process.env['CACHELATCH_DIR'] || join(base, 'cachelatch')
}
