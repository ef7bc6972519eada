/**
 * Who holds a lock, for people and messages. A verdict is never the ground for breaking a lock: the same
 * pid and host name may be another container's process, so a different boot or PID namespace is "unknown".
 */
import { printable } from './printable.js'

export interface Owner {
  pid: number
  /** Start time of the process in clock ticks since boot (Linux), so that a reused pid is recognised. */
  startTime: string | null
  bootId: string | null
  /** `pid:[4026531836]`: the inode of the PID namespace in which `pid` means something. */
  pidNamespace: string | null
  host: string
  /** Program and first arguments, for the person who wants to know what is compiling. */
  command: string
  /** When the lock was taken: milliseconds since 1970 on the owner's clock. */
  since: number
}

export type Verdict = 'alive' | 'dead' | 'unknown'

export interface Surroundings {
  bootId: string | null
  pidNamespace: string | null
  /** Start time of a process seen from here; `null` when there is none; `undefined` when that cannot be told. */
  startTimeOf(pid: number): string | null | undefined
}

export function judge(owner: Owner, here: Surroundings): Verdict {
  if (owner.bootId === null || owner.bootId !== here.bootId) return 'unknown'
  if (owner.pidNamespace === null || owner.pidNamespace !== here.pidNamespace) return 'unknown'
  const startTime = here.startTimeOf(owner.pid)
  if (startTime === undefined) return 'unknown'
  return startTime !== null && startTime === owner.startTime ? 'alive' : 'dead'
}

/** The latest that a Date knows. */
const LATEST = 8.64e15

/** Reads an owner record written by anybody: whatever is malformed is no owner. */
export function parseOwner(value: unknown): Owner | null {
  if (typeof value !== 'object' || value === null) return null
  const record = value as Record<string, unknown>
  const { pid, host, command, since } = record
  if (!Number.isSafeInteger(pid) || (pid as number) <= 0 || typeof host !== 'string') return null
  if (typeof command !== 'string' || typeof since !== 'number' || !(Math.abs(since) <= LATEST)) return null
  const text = (name: string): string | null => (typeof record[name] === 'string' ? record[name] : null)
  return {
    pid: pid as number,
    startTime: text('startTime'),
    bootId: text('bootId'),
    pidNamespace: text('pidNamespace'),
    host,
    command,
    since,
  }
}

/** Of our own, no longer than this: asOwner. */
const MAX_COMMAND = 200

function shorten(command: string): string {
  return command.length <= MAX_COMMAND ? command : `${command.slice(0, MAX_COMMAND - 1)}…`
}

/** "pid 4211 on node7 (python serve.py)", for messages. */
export function describeOwner(owner: Owner | null): string {
  if (owner === null) return 'an unknown process'
  return printable(`pid ${owner.pid} on ${owner.host} (${shorten(owner.command)})`)
}
