/** Keeping a cache healthy: what is there, making room, and looking at every byte. */
import type { EntryReport, GcReport, Problem, RemoveOutcome, VerifyReport } from '../core/report.js'
import { keyLabel } from '../core/key.js'
import { attempt, isErrno } from '../host/disk-errors.js'
import { type Candidate, type Limits, plan, sumOf, takeAway } from '../store/collect.js'
import { findStrangers, inspect, takeInventory } from '../store/inventory.js'
import { lookUp } from '../store/lookup.js'
import { discard } from '../store/stage.js'
import { bookkeepingRoot } from '../store/layout.js'
import { removeOldStats } from '../store/stats.js'
import { moveOut } from '../store/trash.js'
import { findProblems } from '../store/verify.js'
import { claimEntry } from './claims.js'
import { pin } from './entry.js'
import { type GcProgress, GcWatch } from './gc-watch.js'
import { DEFAULT_GRACE_MS } from './last-use.js'
import { type Opened, openRoot } from './open.js'
import { sweep } from './staging.js'

export interface GcOptions {
  /** Removes what was used least recently until all entries together have no more bytes. Default: no limit. */
  maxBytes?: number | undefined
  /** Removes what was last used longer ago, in milliseconds; accurate to an hour. Default: no limit. */
  maxAgeMs?: number | undefined
  /** Removes nothing, and reports what would be removed. */
  dryRun?: boolean | undefined
  /** What was used or changed less than this many milliseconds ago is left alone. Default one minute. */
  graceMs?: number | undefined
  /** Only `lockfile`: how long to watch for signs of life, in milliseconds. Default 0: only what is known dead. */
  watchMs?: number | undefined
  /** Called after every entry that was seen, and after every one that was removed. */
  onProgress?: ((progress: GcProgress) => void) | undefined
}

export interface VerifyOptions {
  /** Sets damaged entries aside, so that the next `getOrCompile` compiles them anew. */
  quarantine?: boolean | undefined
  /** Called after every entry, and after every megabyte of a file. */
  onProgress?: ((progress: VerifyProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

export interface VerifyProgress {
  checked: number
  damaged: number
  /** What was read so far; of what there was to read when it began. */
  bytes: number
  totalBytes: number
}

/** SHA-256 of a key, and the key. */
type Wanted = Map<string, string>
type Victim = Candidate & { key: string | null }

/** First what crashes have left, then entries by age and size. Never what is in use. */
export async function collect(opened: Opened, options: GcOptions): Promise<GcReport> {
  const { maxBytes, maxAgeMs, dryRun = false, graceMs = DEFAULT_GRACE_MS, watchMs = 0, onProgress } = options
  refuseNonsense({ maxBytes, maxAgeMs, graceMs, watchMs })
  // Pins and marks of the dead go here, after watching them all at once: later, what is there is taken for alive.
  const progress = new GcWatch(onProgress)
  const leftovers = dryRun ? 0 : await sweepAll(opened, graceMs, watchMs)
  if (!dryRun) await removeOldStats(opened.disk, opened.layout, opened.host.clock.wallTime())
  return makeRoom(opened, { maxBytes, maxAgeMs, graceMs }, dryRun, leftovers, progress)
}

/** All entries, however young. What is about to be published is none yet, and its stage is as safe as from gc. */
export async function clearAll(
  opened: Opened,
  { dryRun = false, onProgress }: Pick<GcOptions, 'dryRun' | 'onProgress'>,
): Promise<GcReport> {
  const progress = new GcWatch(onProgress)
  const leftovers = dryRun ? 0 : await sweepAll(opened, DEFAULT_GRACE_MS, 0)
  // Also those whose time of use lies ahead.
  const all = { maxAgeMs: Number.NEGATIVE_INFINITY, graceMs: 0 }
  return makeRoom(opened, all, dryRun, leftovers, progress)
}

/** Also what `exec NAME` and the write functions have left, who keep their books in the cache's own directory. */
async function sweepAll(opened: Opened, graceMs: number, watchMs: number): Promise<number> {
  const { host, layout } = opened
  const books = await openRoot(host, bookkeepingRoot(layout.root), { existing: true }).catch(() => null)
  return (await sweep(opened, graceMs, watchMs)) + (books ? await sweep(books, graceMs, watchMs) : 0)
}

async function makeRoom(
  opened: Opened,
  limits: Omit<Limits, 'now'>,
  dryRun: boolean,
  leftovers: number,
  progress: GcWatch,
): Promise<GcReport> {
  const items: Victim[] = []
  for await (const { id, key, bytes, usedAt } of takeInventory(opened.disk, opened.layout)) {
    items.push({ id, key: key && keyLabel(key), bytes, usedAt })
    progress.tell({ step: 'looking', entries: items.length })
  }
  const planned = plan(items, { ...limits, now: opened.host.clock.wallTime() })
  progress.tell({ step: 'removing', toRemove: planned.remove.length })
  const { removed, inUse } = dryRun
    ? { removed: planned.remove, inUse: 0 }
    : await carryOut(opened, planned, progress)
  return {
    schema: 1,
    dryRun,
    removed,
    freedBytes: sumOf(removed),
    inUse,
    entries: items.length - removed.length,
    bytes: sumOf(items) - sumOf(removed),
    leftovers,
  }
}

/**
 * Removes what is planned; for what is in use, the next in line. Another collector at work claims what it is about
 * to remove, and that must not look like being in use: or the two would remove twice as much. So what was refused is
 * looked at again at the end.
 */
async function carryOut(
  opened: Opened,
  { remove, instead, excess }: ReturnType<typeof plan<Victim>>,
  progress: GcWatch,
): Promise<{ removed: typeof remove; inUse: number }> {
  const removed: typeof remove = []
  const refused: typeof remove = []
  let left = excess
  const tryAll = async (victims: typeof remove, isEnough: () => boolean): Promise<void> => {
    for (const victim of victims) {
      if (isEnough()) return
      const outcome = await take(opened, victim)
      if (outcome === 'in-use') refused.push(victim)
      else left -= victim.bytes
      if (outcome !== 'removed') continue
      removed.push(victim)
      progress.removed(victim.bytes)
    }
  }
  await tryAll(remove, () => false)
  const inUse = await stillThere(opened, refused)
  left -= sumOf(refused) - sumOf(inUse)
  await tryAll(instead, () => left <= 0)
  return { removed, inUse: inUse.length }
}

async function stillThere({ disk, layout }: Opened, victims: Victim[]): Promise<Victim[]> {
  const there: Victim[] = []
  for (const victim of victims) if ((await inspect(disk, layout, victim.id)) !== null) there.push(victim)
  return there
}

function take(
  opened: Opened,
  item: { id: string; usedAt: number },
): Promise<'removed' | 'in-use' | 'missing'> {
  const { disk, layout, host } = opened
  return takeAway(disk, layout, item, host.processes.token(), (id) => claimEntry(opened, id))
}

/** Removes one entry, however young, unless it is in use. */
export async function removeEntry(opened: Opened, id: string): Promise<RemoveOutcome> {
  return take(opened, { id, usedAt: Number.POSITIVE_INFINITY })
}

/** Reads every byte of every entry. Each is pinned meanwhile, so that what gc removes is not taken for damaged. */
export async function verifyAll(
  opened: Opened,
  { wanted, quarantine = false, onProgress, signal }: VerifyOptions & { wanted: Wanted | undefined },
): Promise<VerifyReport> {
  const { disk, layout } = opened
  const result: VerifyReport = { schema: 1, checked: 0, bytes: 0, damaged: [], strangers: [], absent: [] }
  const entries = (absent: string[]): AsyncGenerator<EntryReport> =>
    wanted ? inspectThese(opened, wanted, absent) : takeInventory(disk, layout)
  const totalBytes = onProgress ? await bytesIn(entries([])) : 0
  let bytes = 0
  const onBytes = (count: number): void => {
    bytes += count
    onProgress?.({ checked: result.checked, damaged: result.damaged.length, bytes, totalBytes })
  }
  for await (const entry of entries(result.absent)) {
    signal?.throwIfAborted()
    const problems = await problemsOf(opened, entry, onBytes)
    if (problems === null) continue
    result.checked++
    result.bytes += entry.bytes
    if (problems.length > 0) {
      const quarantined = quarantine && (await setAside(opened, entry.id, problems))
      const { id, key, path } = entry
      result.damaged.push({ id, key, path, problems, quarantined })
    }
    onBytes(0)
  }
  if (!wanted) result.strangers = await findStrangers(disk, layout)
  return result
}

async function bytesIn(entries: AsyncGenerator<EntryReport>): Promise<number> {
  let sum = 0
  for await (const { bytes } of entries) sum += bytes
  return sum
}

async function* inspectThese(
  { disk, layout }: Opened,
  wanted: Wanted,
  absent: string[],
): AsyncGenerator<EntryReport> {
  for (const [id, key] of wanted) {
    const entry = await inspect(disk, layout, id)
    if (entry === null) absent.push(key)
    else yield entry
  }
}

/** `null`: it has been removed meanwhile. */
async function problemsOf(
  opened: Opened,
  entry: EntryReport,
  onBytes: (count: number) => void,
): Promise<Problem[] | null> {
  const { id, key, path, state, reason } = entry
  if (state === 'unreadable') return [{ kind: 'unreadable', file: '.', message: reason ?? '' }]
  if (key === null) return [{ kind: 'manifest', file: '.', message: reason ?? '' }]
  const found = await lookUp(opened.disk, path, key, 'manifest')
  if (found.state === 'miss') return null
  if (found.state === 'damaged') return [{ kind: 'manifest', file: '.', message: found.reason }]
  const unpin = await pin(opened, id, found)
  if (unpin === null) return null
  try {
    return await findProblems(opened.disk, path, found.manifest, onBytes)
  } finally {
    await attempt(unpin())
  }
}

/** Sets aside what is damaged still; what cannot be read may be well, and stays. */
async function setAside(opened: Opened, id: string, problems: Problem[]): Promise<boolean> {
  if (problems.some(({ kind }) => kind === 'unreadable')) return false
  const { disk, layout, host } = opened
  const path = layout.entry(id)
  const token = host.processes.token()
  try {
    const doomed = await moveOut(disk, layout, { path, token, isMeant: (place) => isBad(opened, place, id) })
    if (doomed === null) return false
    await discard(disk, doomed)
    return true
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
}

/** Of what has been moved away: another may have set the damaged one aside first, and compiled it anew. */
async function isBad({ disk, layout }: Opened, place: string, id: string): Promise<boolean> {
  const entry = await inspect(disk, layout, id, place)
  if (entry === null || entry.key === null) return true
  const found = await lookUp(disk, place, entry.key, 'manifest')
  if (found.state !== 'hit') return true
  await disk.close(found.fd)
  return (await findProblems(disk, place, found.manifest)).length > 0
}

function refuseNonsense(numbers: Record<string, number | undefined>): void {
  for (const [name, value] of Object.entries(numbers))
    if (value !== undefined && Number.isNaN(value)) throw new TypeError(`${name} is not a number.`)
}
