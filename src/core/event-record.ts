/**
 * What a process that records its events writes: one JSON object a line, appended to a file that any number of
 * processes share. A line tells whose it is, so that lines may be lost, or come from files of several hosts.
 *
 * Invariant: no line is longer than MAX_LINE_BYTES, so that also a pipe takes it in one piece (PIPE_BUF, pipe(7)).
 */
import type { Outcome } from './outcome.js'
import { type Owner, parseOwner } from './owner.js'

export const MAX_LINE_BYTES = 4096

/** One process, or one worker thread of it. */
export interface WorkerIdentity {
  /** 128 random bits: the same pid and host name may be another container's. */
  token: string
  host: string
  pid: number
  /** What its user calls it: CACHELATCH_WORKER, else its RANK. */
  name: string | null
}

export type EventRecord = RecordHead & RecordedEvent

export interface RecordHead {
  schema: 1
  /**
   * Milliseconds since 1970: the writer's wall clock as it stood when the process began, and monotonic since. So it
   * never goes back within a process; those of two hosts are not to be compared.
   */
  at: number
  /** Counts the records of this worker from 0. */
  order: number
  worker: WorkerIdentity
}

/** `key`s are shortened for people. A lock is that of a `key` that is being built, or of a `target` path. */
export type RecordedEvent =
  | { type: 'process-started'; owner: Owner }
  | { type: 'process-ended'; exitCode: number }
  /** As soon as it has begun, after one second, then every ten. `owner`: for whom, where that is known. */
  | { type: 'waiting'; key: string | null; target: string | null; owner: WaitedFor | null; waitedMs: number }
  | { type: 'wait-ended'; key: string | null; target: string | null; got: boolean }
  | { type: 'build-started'; key: string }
  | { type: 'build-failed'; key: string; message: string }
  | { type: 'published'; key: string; bytes: number; ours: boolean }
  | { type: 'obtained'; key: string; outcome: Outcome; path: string; elapsedMs: number }
  | { type: 'released'; path: string }
  | { type: 'locked'; target: string }
  | { type: 'unlocked'; target: string }
  | { type: 'child-started'; pid: number; command: string }
  | { type: 'child-ended'; exitCode: number }
  /** A worker in a slot; `slot` is `null` for a private directory. Until it is seeded, it is not started. */
  | { type: 'worker-prepared'; workerName: string; slot: number | null; path: string }
  | { type: 'worker-seeded'; workerName: string; units: number; files: number; bytes: number }
  | { type: 'worker-published'; workerName: string; unit: string; bytes: number }
  | { type: 'trouble'; what: 'damaged' | 'degraded' | 'lease-lost'; message: string }

export interface WaitedFor {
  pid: number
  host: string
}

type Check = (value: unknown) => boolean
const text: Check = (value) => typeof value === 'string'
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value)
/** Of the times that a Date knows, and of lengths of time: nothing that would turn a picture inside out. */
const time: Check = (value) => number(value) && (value as number) >= 0 && (value as number) <= 8.64e15
const flag: Check = (value) => typeof value === 'boolean'
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
const oneOf =
  (...allowed: string[]): Check =>
  (value) =>
    allowed.includes(value as string)
const record = (fields: Record<string, Check>): Check => {
  const checks = Object.entries(fields)
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    checks.every(([name, check]) => check((value as Record<string, unknown>)[name]))
}

const HEAD = record({
  schema: (value) => value === 1,
  at: time,
  order: number,
  worker: record({ token: text, host: text, pid: number, name: orNull(text) }),
})
const LOCK = { key: orNull(text), target: orNull(text) }

const BY_TYPE: Record<RecordedEvent['type'], Check> = {
  'process-started': record({ owner: (value) => parseOwner(value) !== null }),
  'process-ended': record({ exitCode: number }),
  waiting: record({ ...LOCK, owner: orNull(record({ pid: number, host: text })), waitedMs: time }),
  'wait-ended': record({ ...LOCK, got: flag }),
  'build-started': record({ key: text }),
  'build-failed': record({ key: text, message: text }),
  published: record({ key: text, bytes: number, ours: flag }),
  obtained: record({
    key: text,
    outcome: oneOf('hit', 'compiled', 'waited', 'private'),
    path: text,
    elapsedMs: time,
  }),
  released: record({ path: text }),
  locked: record({ target: text }),
  unlocked: record({ target: text }),
  'child-started': record({ pid: number, command: text }),
  'child-ended': record({ exitCode: number }),
  'worker-prepared': record({ workerName: text, slot: orNull(number), path: text }),
  'worker-seeded': record({ workerName: text, units: number, files: number, bytes: number }),
  'worker-published': record({ workerName: text, unit: text, bytes: number }),
  trouble: record({ what: oneOf('damaged', 'degraded', 'lease-lost'), message: text }),
}

/** `null`: torn, not ours, or of a schema or type that this version does not know. */
export function parseEventRecord(line: string): EventRecord | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  if (!HEAD(value)) return null
  const { type } = value as { type?: unknown }
  const known = typeof type === 'string' && Object.hasOwn(BY_TYPE, type)
  return known && BY_TYPE[type as RecordedEvent['type']](value) ? (value as EventRecord) : null
}
