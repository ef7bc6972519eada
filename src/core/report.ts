/** What is reported about a cache: the shapes that the library returns and `--json` prints. */
export type * from './doctor-report.js'

/** `unreadable`: this user, or this moment, cannot tell whether it is whole. */
export type EntryState = 'whole' | 'damaged' | 'unreadable'

export interface EntryReport {
  /** SHA-256 of the key. */
  id: string
  /** Canonical JSON of the key; `null` where no manifest tells it. */
  key: string | null
  /** The entry's directory. */
  path: string
  /** Of all its files together. */
  bytes: number
  files: number
  /** Milliseconds since 1970 on the builder's clock; `null` where no manifest tells it. */
  createdAt: number | null
  /** Milliseconds since 1970; the last use may be up to an hour later. */
  usedAt: number
  /** By its manifest alone: `verify` reads every byte. */
  state: EntryState
  /** What is wrong, in words. */
  reason: string | null
}

export interface ListReport {
  schema: 1
  /** The cache's root directory. */
  root: string
  entries: EntryReport[]
  /** Of all `entries` together. */
  bytes: number
}

/** What the slots of a namespace are seeded from. */
export interface SnapshotReport {
  /** Its directory below `snapshots/`. */
  name: string
  /** Canonical JSON: the presets, and the key that the user gave; `null` where no manifest tells it. */
  key: string | null
  /** Of all generations that are kept: files, and their bytes. */
  units: number
  files: number
  bytes: number
  /** Milliseconds since 1970: when a slot was last seeded with any of it, accurate to an hour. */
  usedAt: number
  /** How many slots there are, in use or not. */
  slots: number
}

export interface SnapshotsReport {
  schema: 1
  /** The cache's root directory. */
  root: string
  snapshots: SnapshotReport[]
  /** Of all `snapshots` together. */
  bytes: number
}

/** `age`: not used for too long; `size`: used least recently of a cache that is too large; `superseded`: by a newer generation. */
export type RemovalReason = 'age' | 'size' | 'superseded'

/** `unit`: of a snapshot; `slot`: a worker's own directory, which nobody has just now. */
export type RemovalKind = 'entry' | 'unit' | 'slot'

export interface RemovalReport {
  kind: RemovalKind
  /** SHA-256 of the key of an entry or a unit; the name of a slot. */
  id: string
  /** Of an entry: its key, shortened to 80 characters. */
  key: string | null
  /** Of a unit or a slot: the directory of its namespace. */
  namespace: string | null
  /** Of a unit: its path below a slot; `null` where no manifest tells it. */
  unit: string | null
  bytes: number
  /** Milliseconds since 1970. A unit was used last when a slot of its namespace was. */
  usedAt: number
  why: RemovalReason
}

export interface GcReport {
  schema: 1
  /** Nothing was removed: what is reported is what would be, if none of it is in use. */
  dryRun: boolean
  removed: RemovalReport[]
  /** Of all `removed` together. */
  freedBytes: number
  /** What was to go and stayed, because it is in use. */
  inUse: number
  /** What is left: entries, units of snapshots (all generations), slots, and the bytes of all of them. */
  entries: number
  units: number
  slots: number
  bytes: number
  /** Stages, half-deleted trash and the like that were removed. */
  leftovers: number
}

export type ProblemKind =
  'manifest' | 'missing' | 'extra' | 'type' | 'size' | 'content' | 'mode' | 'link' | 'unreadable'

export interface Problem {
  kind: ProblemKind
  /** Relative to the entry's directory; `.` is itself. */
  file: string
  /** As a sentence without its full stop. */
  message: string
}

export interface VerifyReport {
  schema: 1
  /** How many entries and units of snapshots were looked at, how many of them units, and the bytes that were read. */
  checked: number
  units: number
  bytes: number
  damaged: DamageReport[]
  /** Things among the entries that are none: not put there by cachelatch, and left alone. */
  strangers: string[]
  /** Canonical JSON of the keys that were asked for and have no entry. */
  absent: string[]
}

export interface DamageReport {
  kind: 'entry' | 'unit'
  /** SHA-256 of its key. */
  id: string
  /** Of an entry: canonical JSON of its key. */
  key: string | null
  /** Of a unit: the directory of its namespace, and its path below a slot, where its manifest tells it. */
  namespace: string | null
  unit: string | null
  /** Its directory. */
  path: string
  problems: Problem[]
  quarantined: boolean
}

export type RemoveOutcome = 'removed' | 'missing' | 'in-use'

/** What a process was busy with. `holding`: had a lock; `loading`: had an entry in hand; `failed` and `died` are moments. */
export type WorkerState =
  'starting' | 'waiting' | 'compiling' | 'holding' | 'loading' | 'ready' | 'failed' | 'died'

export interface TimelineReport {
  schema: 1
  /** Begin of the first process, end of the last; milliseconds since 1970. */
  from: number
  to: number
  /** One for each process, in the order of the picture; those of one `worker` followed each other. */
  workers: {
    worker: string
    token: string
    host: string
    pid: number
    command: string
    from: number
    to: number
    /** `alive`: still running; `died`: it did not end, as far as its events tell. */
    fate: 'ended' | 'failed' | 'alive' | 'died'
    exitCode: number | null
    /** How often it obtained an entry, by how. */
    outcomes: { hit?: number; compiled?: number; waited?: number; private?: number }
    spans: { state: WorkerState; from: number; to: number; note: string | null }[]
    /** What went wrong without failing it. */
    troubles: string[]
  }[]
  /** Lines of the files that were no events. */
  skippedLines: number
}

export interface Counts {
  /** Calls that found the entry. */
  hits: number
  /** Calls that built it. */
  compiled: number
  /** Calls that waited while another built it. */
  waited: number
  /** Calls that could not use the cache, and built for themselves. */
  private: number
  /** Builds that failed: of `compiled` calls, none is one of these. */
  failures: number
  /** Of what was published, without manifests. */
  bytes: number
  /** Milliseconds that the builds took whose result was published. */
  buildMs: number
  /** Milliseconds that the calls took that `waited`. */
  waitedMs: number
  /**
   * Milliseconds: of each call that found the entry or waited, the time that the entry's build took, less the time
   * that the call took; never less than nothing.
   */
  savedMs: number
}

/** Counted over all processes; what a killed process has not written down is missing (its last hits). */
export interface StatsReport extends Counts {
  schema: 1
  /** The cache's root directory. */
  root: string
  /** Milliseconds since 1970: what happened before is not counted; `null`: all that is known, 90 days at most. */
  since: number | null
  /** Of all calls, the part that had nothing to build: (hits + waited) / (hits + waited + compiled + private). */
  hitRate: number | null
  /** Only on request: what adds up to the above, most time saved first. */
  keys?: KeyStats[]
}

export interface KeyStats extends Counts {
  /** SHA-256 of the key. */
  id: string
  /** Canonical JSON of the key, shortened to 80 characters. */
  key: string
  hitRate: number | null
}

/** A process, as far as it can be told. */
export interface ProcessReport {
  /** In its own PID namespace, on its own host; `null`, as below: not known. */
  pid: number | null
  host: string | null
  command: string | null
  /** Milliseconds since 1970 on its own clock; `null`: not known. */
  since: number | null
  /** `unknown`: on another host, or in another container. */
  verdict: 'alive' | 'dead' | 'unknown'
}

/** A lock that is held. */
export interface HolderReport extends ProcessReport {
  /** The lock's name: the SHA-256 of an entry's key, what was given to `exec` or `withLock`, or `slot-` and a hash. */
  lock: string
  /** What it is for: canonical JSON of an entry's key, shortened to 80 characters, or `slot 3 of vllm`. */
  key: string | null
  /** Whether an entry is being built: else the holder does something else, or is about to. */
  building: boolean
  /** How many further processes keep it held: it outlives the first. */
  others: number
  /** `kernel`: it was seen to be held just now; `record`: somebody has written down that it holds it. */
  source: 'kernel' | 'record'
}

/** Who has waited for a lock for a second or longer. */
export interface WaiterReport extends ProcessReport {
  lock: string
  key: string | null
  /** When it gives up: milliseconds since 1970 on its own clock; `null`: never. */
  deadline: number | null
}

export interface StatusReport {
  schema: 1
  /** The cache's root directory. */
  root: string
  /** Milliseconds since 1970. */
  at: number
  /** Longest first. */
  holders: HolderReport[]
  waiters: WaiterReport[]
  /** Writes under way that are not published yet. */
  stages: number
  /** Entries and units that somebody has in use; `null`: that cannot be seen here. */
  inUse: number | null
  /** What crashes have left for `gc`, by kind; the youngest, which may still be somebody's, are not counted. */
  leftovers: LeftoverCounts
  /** Entries, units of snapshots, and the bytes of all their files; `null`: not asked for. */
  entries: number | null
  units: number | null
  bytes: number | null
  /** `false`: some processes of this host (other users', other containers') cannot be looked into from here. */
  complete: boolean
}

export interface LeftoverCounts {
  /** Unpublished results of the dead. */
  stages: number
  /** What was being deleted. */
  trash: number
  /** Halves of records, of lock directories, of a cache's beginning. */
  drafts: number
  /** Records of holders and waiters that are gone. */
  records: number
}

export interface EnvReport {
  schema: 1
  /** The slot whose paths these are, and its directory. */
  slot: number
  path: string
  /** What `run` would set. */
  set: Record<string, string>
  /** Variables that are set already, and would be left alone. */
  kept: string[]
}
