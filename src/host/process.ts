/** Who we are, who else lives, and randomness. */
import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Owner, Surroundings } from '../core/owner.js'
import { currentUid } from './directories.js'
import { processesWith } from './environments.js'
import { sha256 } from './hash.js'
import { type OpenFiles, findOpenFiles } from './open-files.js'

export interface Processes extends Surroundings {
  /** This process as the owner of something taken at `since` (milliseconds since 1970). */
  asOwner(since: number): Owner
  /** Pids of others that were started with `name=value` in their environment. See environments.ts. */
  startedWith(name: string, value: string): number[]
  /** See open-files.ts. */
  openFiles(ourPath: (seen: string) => string | null): Promise<OpenFiles | null>
  /** 128 random bits in hex: the only identity that two containers never share. */
  token(): string
  /** In [0, 1): for nothing that anybody must not foresee. */
  random(): number
  /** Calls `work` when the process exits, unless it is killed: nothing but calls in this thread is done then. Returns the way to cancel. */
  atExit(work: () => void): () => void
}

export function realProcesses(): Processes {
  const bootId = readBootId()
  const pidNamespace = linkOrNull('/proc/self/ns/pid')
  const startTime = startTimeOf(process.pid) ?? null
  const host = hostname()
  const command = process.argv.slice(0, 4).join(' ').slice(0, 200)
  return {
    bootId,
    pidNamespace,
    startTimeOf,
    asOwner: (since) => ({ pid: process.pid, startTime, bootId, pidNamespace, host, command, since }),
    startedWith: processesWith,
    openFiles: findOpenFiles,
    token: () => randomBytes(16).toString('hex'),
    random: Math.random,
    atExit,
  }
}

const readBootId = (): string | null => readOrNull('/proc/sys/kernel/random/boot_id')

let hostAndUser: string | undefined

/** For names of files that one host and one user have to themselves: `3f1c09be77aa.1000`. */
export function thisHostAndUser(): string {
  return (hostAndUser ??= `${sha256(readBootId() ?? hostname()).slice(0, 12)}.${currentUid()}`)
}

const lastWords = new Set<() => void>()
let watchesExit = false

function atExit(work: () => void): () => void {
  if (!watchesExit) process.once('exit', () => lastWords.forEach((each) => each()))
  watchesExit = true
  lastWords.add(work)
  return () => void lastWords.delete(work)
}

/** <linux/sched.h>: in the flags, field 9 of /proc/PID/stat, from the start of exit(2) on. */
const PF_EXITING = 4

/** proc(5): field 22 of /proc/PID/stat; the name in field 2 may itself contain spaces and brackets. */
function startTimeOf(pid: number): string | null | undefined {
  const stat = readOrNull(`/proc/${pid}/stat`)
  if (stat === null) return exists(pid) ? undefined : null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A killed process lets go of its locks some time before it is a zombie: whoever gets the lock may look just then.
  const isGone = fields[0] === 'Z' || fields[0] === 'X' || (Number(fields[6]) & PF_EXITING) !== 0
  return isGone ? null : fields[19]
}

/** /proc may hide other users' processes (hidepid) or not exist (macOS); kill(pid, 0) tells then. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}

function linkOrNull(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}

/** What a process was started as, for people; `null` where that cannot be seen, or it is gone. */
export function commandOf(pid: number): string | null {
  const text = readOrNull(`/proc/${pid}/cmdline`)
  if (text === null) return null
  return text.split('\0').filter(Boolean).join(' ').slice(0, 200) || null
}
