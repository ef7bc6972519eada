/**
 * Compile once: look, lock, look again, build, publish, release.
 *
 * The lock only saves work. With two holders at once both build, the first to rename wins, and the other drops its
 * own: whatever a lock does or fails to do, nobody sees anything but whole entries.
 */
import { isLatchError } from '../core/errors.js'
import { keyLabel } from '../core/key.js'
import type { Disk } from '../host/disk.js'
import { attempt, messageOf } from '../host/disk-errors.js'
import type { Wait } from '../lock/locker.js'
import { type Attempt, clearAttempt, readAttempt, writeAttempt } from '../store/attempts.js'
import { assertDirectories } from '../store/format.js'
import type { Check } from '../store/lookup.js'
import { FILES } from '../store/layout.js'
import { type EntryDraft, type SealProgress, placeEntry, sealEntry } from '../store/publish.js'
import { quarantine } from '../store/quarantine.js'
import { type Staged, stageEntry } from '../store/stage.js'
import { type Entry, findPinned } from './entry.js'
import { acquireTold, announceDamage, emit } from './events.js'
import { crashesSoFar } from './failures.js'
import { type Opened, gone } from './open.js'
import { CallerError } from './caller-error.js'
import { refuseToWaitForItself, whileBuilding } from './holding.js'
import { inStage, sweepOnce } from './staging.js'
import { cacheToBlame } from './blame.js'

export interface BuildStage {
  /** An empty directory of its own, to be filled. */
  dir: string
  /** Aborts when the caller's does. */
  signal: AbortSignal
  /**
   * A descriptor that keeps gc from removing `dir` as long as any process has it open: pass it in the `stdio` of a
   * child that fills `dir`, which may outlive this process. `null` where there is no such thing.
   */
  handOn: () => number | null
}

/** Fills a directory. Whatever it throws, nothing is published. */
export type Build = (stage: BuildStage) => void | Promise<void>

/**
 * What an error of a build means for those who wait for it. `failed`: they get the error. `crashed`, such as when a
 * compiler was killed: they try, until it has crashed three times in a row. `cancelled`: they try.
 */
export type FailureMeaning = 'failed' | 'crashed' | 'cancelled'

export interface CompileOptions {
  /** Ends the waiting and is passed to the build; rejects with its reason. */
  signal?: AbortSignal | undefined
  /** Longest wait for another builder in milliseconds: default one hour, `Infinity` as long as it takes. */
  timeoutMs?: number | undefined
  /** Called after one second of waiting, then every ten. Default: a process warning. */
  onWait?: ((wait: Wait) => void) | undefined
  /** How closely a hit is looked at. Default `sizes`. */
  check?: Check | undefined
  /** Errors of the cache are thrown instead of compiling privately. */
  strict?: boolean | undefined
  /** Builds although it took its process down three times in a row. */
  retryCrashed?: boolean | undefined
  /** Tells what an error of the build means for others; default `failed`, and `cancelled` once `signal` has aborted. */
  meaningOf?: ((error: unknown) => FailureMeaning) | undefined
  /** Called while a result is hashed and brought to the device. */
  onProgress?: ((progress: SealProgress) => void) | undefined
  /** A private result outlives the process: for those who only hand its path on. */
  keepPrivate?: boolean | undefined
}

export interface Job {
  key: string
  id: string
  build: Build
  options: CompileOptions
}

export async function compileOnce(opened: Opened, job: Job): Promise<Entry> {
  const { disk, layout, locker } = opened
  const { key, id, options } = job
  const check = options.check ?? 'sizes'
  const first = await findPinned(opened, id, key, check)
  if (first.state === 'hit') return first.entry('hit')

  refuseToWaitForItself(layout.lock(id), key)
  await assertDirectories(disk, layout)
  const before = await readAttempt(disk, layout, id)
  const { signal, timeoutMs, onWait } = options
  const wish = { signal, timeoutMs, onWait, announce: true, label: keyLabel(key) }
  const lease = await acquireTold(locker, layout.lock(id), { key }, wish)
  const tellLost = (): void => emit({ type: 'lease-lost', path: lease.path, error: lease.signal.reason })
  if (lease.signal.aborted) tellLost()
  else lease.signal.addEventListener('abort', tellLost, { once: true })
  try {
    const second = await findPinned(opened, id, key, check)
    if (second.state === 'hit') return second.entry(lease.waited ? 'waited' : 'hit')
    if (second.state === 'damaged') {
      announceDamage(key, layout.entry(id), second.reason)
      await quarantine(disk, layout, { id, key, check, token: opened.host.processes.token() })
    }
    const crashes = await crashesSoFar(opened, id, key, before, options.retryCrashed ?? false)
    return await buildAndPublish(opened, job, crashes)
  } finally {
    await attempt(lease.release())
  }
}

async function buildAndPublish(opened: Opened, job: Job, crashes: number): Promise<Entry> {
  const { disk, layout } = opened
  const { id, key, options } = job
  await sweepOnce(opened)
  return inStage(
    opened,
    (path) => stageEntry(disk, path),
    async (stage) => {
      await attempted(opened, job, crashes, async (createdAt) => {
        const buildMs = await runBuild(opened, job, stage)
        await publish(
          opened,
          { stage, id, key, createdAt, buildMs, check: options.check ?? 'sizes' },
          options,
        )
      })
      const found = await findPinned(opened, id, key, options.check ?? 'sizes')
      if (found.state === 'hit') return found.entry('compiled')
      throw gone(layout.entry(id), 'The entry was removed as soon as it was published')
    },
  )
}

/** Keeps the record of the attempt around `work`: what happened to it is what the next holder of the lock reads. */
async function attempted(
  { disk, layout, host, counting }: Opened,
  { key, id, options }: Job,
  crashes: number,
  work: (startedAt: number) => Promise<void>,
): Promise<void> {
  const { processes, clock } = host
  const at = clock.wallTime()
  const record: Attempt = {
    token: processes.token(),
    state: 'building',
    owner: processes.asOwner(at),
    at,
    crashes,
  }
  await writeAttempt(disk, layout, id, record, processes.token())
  try {
    await work(at)
  } catch (error) {
    const meaning = meaningFor(error, options)
    if (meaning === 'cancelled') await clearAttempt(disk, layout, id)
    else {
      counting.failed(id, key)
      const thrown = (error as CallerError).thrown
      const ended = { ...record, state: meaning, at: clock.wallTime(), error: describe(thrown) }
      await writeAttempt(disk, layout, id, ended, processes.token())
    }
    throw error
  }
  await clearAttempt(disk, layout, id)
}

/** Only what the build itself is to blame for concerns those who wait. An abort is the caller's own affair. */
function meaningFor(error: unknown, { signal, meaningOf }: CompileOptions): FailureMeaning {
  if (!(error instanceof CallerError) || signal?.aborted) return 'cancelled'
  return meaningOf?.(error.thrown) ?? 'failed'
}

async function runBuild(opened: Opened, { key, id, build, options }: Job, stage: Staged): Promise<number> {
  const { clock } = opened.host
  const handOn = (): number | null => (opened.locker.shares ? stage.fd : null)
  const started = clock.now()
  const signal = options.signal ?? new AbortController().signal
  emit({ type: 'build-started', key, stage: stage.path })
  try {
    signal.throwIfAborted()
    await whileBuilding(opened.layout.lock(id), () =>
      build({ dir: `${stage.path}/${FILES}`, signal, handOn }),
    )
    signal.throwIfAborted()
    return clock.now() - started
  } catch (error) {
    emit({ type: 'build-failed', key, error, elapsedMs: clock.now() - started })
    const blame = signal.aborted ? null : await cacheToBlame(opened, stage.path, error)
    throw blame ?? new CallerError(error)
  }
}

async function publish(opened: Opened, draft: EntryDraft, options: CompileOptions): Promise<void> {
  const { disk, layout, host, counting } = opened
  const started = host.clock.now()
  const { bytes } = await seal(disk, draft, options)
  const ours = await placeEntry(disk, layout, draft, () => host.processes.token())
  const publishMs = host.clock.now() - started
  const { key, id, buildMs } = draft
  if (ours) counting.published(id, key, bytes, buildMs)
  emit({ type: 'published', key, path: layout.entry(id), bytes, buildMs, publishMs, ours })
}

/** What the build left cannot be published: that is a failed build as well, for everybody who waited. */
async function seal(disk: Disk, draft: EntryDraft, options: CompileOptions): Promise<{ bytes: number }> {
  try {
    return await sealEntry(disk, draft, options)
  } catch (error) {
    throw isLatchError(error, 'BUILD_INVALID') ? new CallerError(error) : error
  }
}

function describe(error: unknown): { name: string; message: string; code?: string } {
  const name = error instanceof Error ? error.name : 'Error'
  const code = error instanceof Error && 'code' in error ? { code: String(error.code) } : {}
  return { name, message: messageOf(error).slice(0, 4_000), ...code }
}
