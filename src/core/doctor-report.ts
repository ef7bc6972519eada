/** What doctor reports: as report.ts, from where it is exported. */

/** `note`: worth knowing; `warning`: works, and may hurt; `problem`: does not work, or is not safe. */
export type FindingLevel = 'ok' | 'note' | 'warning' | 'problem'

export type FindingSection = 'place' | 'calls' | 'locks' | 'second' | 'cache' | 'machine' | 'settings'

export interface Finding {
  /** Stays the same from version to version. */
  id: string
  section: FindingSection
  level: FindingLevel
  /** What was looked at. */
  title: string
  /** What was found. */
  detail: string
  /** What to do about it; `null`: nothing. */
  advice: string | null
}

export interface Setting {
  /** Of a flag or of an environment variable. */
  name: string
  /** `null`: not set, and what holds then is in the manual. */
  value: string | null
  origin: 'flag' | 'environment' | 'default'
}

/** What two processes have measured between them. */
export interface LockTrial {
  /** `null`: it could not be measured, and `reason` says why. */
  excludes: boolean | null
  reason: string | null
  /** Whether a killed holder is succeeded at once; `null`: not measured, or not promised by this kind of lock. */
  freedByDeath: boolean | null
}

export interface SecondReport {
  /** As it was given; between two hosts, the other one's `host:directory`. */
  path: string
  /** `null`: could not be told. Where it is not `true`, nothing else was measured. */
  sameDirectory: boolean | null
  /** Why nothing else was measured. */
  reason: string | null
  /** Both paths lead through one mount: what was measured holds for this mount only. */
  sameMount: boolean
  kernel: LockTrial | null
  lockfile: LockTrial | null
  /** Whether of two that create, make or rename onto one name at once exactly one succeeds; `null`: one may not write. */
  firstWins: boolean | null
  /**
   * Milliseconds until the other side saw a name that was new, and a file that was replaced, with our own overhead;
   * between two hosts, there and back. `null`: not measured.
   */
  newNameMs: number | null
  replacedFileMs: number | null
  /** What a cache would use that is created from the other side. */
  chosenThere: string | null
  /** The fastest locker that excludes on both sides; `null`: none of them does, or it could not be measured. */
  right: 'kernel' | 'lockfile' | null
}

export interface DoctorReport {
  schema: 1
  /** With links resolved, where it is there. */
  root: string
  /** Whether there is a cache in it. */
  exists: boolean
  fileSystem: {
    type: string
    locality: 'local' | 'network' | 'unknown'
    mountPoint: string | null
    options: string[]
  } | null
  locker: {
    /** What a cache created here and now would use, and why. */
    chosen: string
    reason: string
    /** What the cache was created with; `null`: there is none, or its format.json cannot be read. */
    recorded: string | null
    /** Between two processes on this host, through this mount. */
    kernel: LockTrial
    lockfile: LockTrial
  } | null
  /** Only with --second. */
  second: SecondReport | null
  settings: Setting[]
  findings: Finding[]
  /** In one sentence. */
  verdict: string
}
