/** The public surface: everything else may change at any time. */
export { LATCH_ERROR_CODES, LatchError, type LatchErrorCode, isLatchError } from './core/errors.js'
export type { Key } from './core/key.js'
export type { Outcome } from './core/outcome.js'
export type { Owner, Verdict } from './core/owner.js'
export type { Build, BuildStage, CompileOptions, FailureMeaning } from './latch/compile.js'
export { type Cache, type CacheOptions, openCache } from './latch/cache.js'
export type { StatusOptions } from './latch/status.js'
export type { StatsOptions } from './latch/statistics.js'
export type { GcProgress } from './latch/gc-watch.js'
export type { GcOptions } from './latch/gc.js'
export type { VerifyOptions, VerifyProgress } from './latch/verify.js'
export type {
  Counts,
  DamageReport,
  EntryReport,
  EntryState,
  GcReport,
  HolderReport,
  KeyStats,
  LeftoverCounts,
  ListReport,
  Problem,
  ProblemKind,
  RemovalKind,
  RemovalReason,
  RemovalReport,
  RemoveOutcome,
  SnapshotReport,
  ProcessReport,
  StatsReport,
  StatusReport,
  VerifyReport,
  WaiterReport,
} from './core/report.js'
export type { Entry } from './latch/entry.js'
export type { LatchEvent } from './latch/events.js'
export type { LockOptions, SharedLockOptions } from './latch/place.js'
export { type WriteDirectoryOptions, lockPath, withLock, writeDirectory, writeFile } from './latch/write.js'
export type { AcquireOptions, Lease, Locker, LockerKind, SharedHolds, Wait } from './lock/locker.js'
export { type PreparedWorker, type WorkerOptions, prepareWorker } from './launch/worker.js'
export { type EndedWorker, type LaunchOptions, launchWorkers } from './launch/workers.js'
export type { Preset } from './launch/preset.js'
export type { WorkerEvent } from './launch/worker-events.js'
export type { Chunk, Source } from './store/bytes.js'
export type { Check } from './store/lookup.js'
export type { SealProgress } from './store/publish.js'
