/** What is reported about a cache: the shapes that the library returns and `--json` prints. */

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

/** `age`: not used for too long; `size`: used least recently of a cache that is too large. */
export type RemovalReason = 'age' | 'size'

export interface GcReport {
  schema: 1
  /** Nothing was removed: what is reported is what would be, if none of it is in use. */
  dryRun: boolean
  /** `key` is shortened to 80 characters. */
  removed: { id: string; key: string | null; bytes: number; usedAt: number; why: RemovalReason }[]
  /** Of all `removed` together. */
  freedBytes: number
  /** Entries that were to go and stayed, because they are in use. */
  inUse: number
  /** What is left: entries, and their bytes. */
  entries: number
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
  /** How many entries were looked at, and the bytes that were read of them. */
  checked: number
  bytes: number
  damaged: { id: string; key: string | null; path: string; problems: Problem[]; quarantined: boolean }[]
  /** Things among the entries that are none: not put there by cachelatch, and left alone. */
  strangers: string[]
  /** Canonical JSON of the keys that were asked for and have no entry. */
  absent: string[]
}

export type RemoveOutcome = 'removed' | 'missing' | 'in-use'
