/** What comes from the environment. A flag wins over it. */
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { currentUid } from './directories.js'

/** In the environment of a worker: what it is called. */
export const WORKER_VARIABLE = 'CACHELATCH_WORKER'

/** Every variable that is read, and what it does, for people. */
export const SETTINGS = {
  CACHELATCH_DIR: "the command's cache directory (cachelatch in XDG_CACHE_HOME, else ~/.cache/cachelatch)",
  CACHELATCH_GATE_DIR: 'where a host keeps the gates of its network locks (the temporary directory)',
  CACHELATCH_LOCKER: 'the lock of caches that are created: kernel or lockfile (chosen by the file system)',
  CACHELATCH_EVENTS: "a file to which every process appends its events, for 'cachelatch timeline' (none)",
  CACHELATCH_WORKER: "what 'cachelatch timeline' calls a worker (its RANK, else its pid)",
  RANK: 'the same, as launchers of distributed jobs set it',
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

/** The lock that the user wants, as written. */
export function lockerSetting(): string | undefined {
  return process.env['CACHELATCH_LOCKER'] || undefined
}

/** Where events are recorded, if anywhere. */
export function eventsFile(): string | undefined {
  return process.env['CACHELATCH_EVENTS'] || undefined
}

/** For this process and those that it starts, wherever they run. */
export function setEventsFile(path: string): void {
  process.env['CACHELATCH_EVENTS'] = resolve(path)
}

/** What the user calls this process. */
export function workerName(): string | null {
  const { CACHELATCH_WORKER, RANK } = process.env
  return CACHELATCH_WORKER || (RANK ? `rank ${RANK}` : null)
}
