/** Making room: first what crashes have left, then what was not used for longest. Never what is in use. */
import type { GcReport, RemovalKind, RemovalReport, RemoveOutcome } from '../core/report.js'
import { type Limits, type Plan, plan, sumOf } from '../store/collect.js'
import { removeOldStats } from '../store/stats.js'
import { type Victim, findVictims, isThere, take } from './candidates.js'
import { type GcProgress, GcWatch } from './gc-watch.js'
import { DEFAULT_GRACE_MS } from './last-use.js'
import { type Opened, openBooks } from './open.js'
import { removeEmptyNamespaces } from './snapshots.js'
import { sweep } from './staging.js'

export interface GcOptions {
  /** Removes what was used least recently until entries, snapshots and slots have no more bytes. Default: no limit. */
  maxBytes?: number | undefined
  /** Removes what was last used longer ago, in milliseconds; accurate to an hour. Default: no limit. */
  maxAgeMs?: number | undefined
  /** Removes nothing, and reports what would be removed. */
  dryRun?: boolean | undefined
  /** What was used or changed less than this many milliseconds ago is left alone. Default one minute. */
  graceMs?: number | undefined
  /** Only `lockfile`: how long to watch for signs of life, in milliseconds. Default 0: only what is known dead. */
  watchMs?: number | undefined
  /** Called after everything that was seen, and after everything that was removed. */
  onProgress?: ((progress: GcProgress) => void) | undefined
}

/** Leftovers, and units that others have superseded; then by age and size. */
export async function collect(opened: Opened, options: GcOptions): Promise<GcReport> {
  const { maxBytes, maxAgeMs, dryRun = false, graceMs = DEFAULT_GRACE_MS, watchMs = 0, onProgress } = options
  refuseNonsense({ maxBytes, maxAgeMs, graceMs, watchMs })
  // Pins and marks of the dead go here, after watching them all at once: later, what is there is taken for alive.
  const progress = new GcWatch(onProgress)
  const leftovers = dryRun ? 0 : await sweepAll(opened, graceMs, watchMs)
  if (!dryRun) await removeOldStats(opened.disk, opened.layout, opened.host.clock.wallTime())
  return makeRoom(opened, { maxBytes, maxAgeMs, graceMs }, dryRun, leftovers, progress)
}

/** All entries, units and idle slots, however young. What is about to be published is none yet, and its stage is as safe as from gc. */
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
  const books = await openBooks(host, layout.root, { existing: true }).catch(() => null)
  return (await sweep(opened, graceMs, watchMs)) + (books ? await sweep(books, graceMs, watchMs) : 0)
}

async function makeRoom(
  opened: Opened,
  limits: Omit<Limits, 'now'>,
  dryRun: boolean,
  leftovers: number,
  progress: GcWatch,
): Promise<GcReport> {
  const victims: Victim[] = []
  for await (const victim of findVictims(opened, limits.graceMs)) {
    victims.push(victim)
    progress.tell({ step: 'looking', entries: victims.length })
  }
  const planned = plan(victims, { ...limits, now: opened.host.clock.wallTime() })
  progress.tell({ step: 'removing', toRemove: planned.remove.length })
  const { removed, inUse } = dryRun
    ? { removed: planned.remove, inUse: 0 }
    : await carryOut(planned, progress)
  if (!dryRun) await removeEmptyNamespaces(opened)
  const left = (kind: RemovalKind): number => countOf(victims, kind) - countOf(removed, kind)
  return {
    schema: 1,
    dryRun,
    removed: removed.map(asReport),
    freedBytes: sumOf(removed),
    inUse,
    entries: left('entry'),
    units: left('unit'),
    slots: left('slot'),
    bytes: sumOf(victims) - sumOf(removed),
    leftovers,
  }
}

function countOf(victims: readonly Victim[], wanted: RemovalKind): number {
  return victims.filter(({ kind }) => kind === wanted).length
}

type Planned = Plan<Victim>['remove'][number]

function asReport({ kind, id, key, namespace, unit, bytes, usedAt, why }: Planned): RemovalReport {
  return { kind, id, key, namespace, unit, bytes, usedAt, why }
}

/**
 * Removes what is planned; for what is in use, the next in line. Another collector at work claims what it is about
 * to remove, and that must not look like being in use: or the two would remove twice as much. So what was refused is
 * looked at again at the end.
 */
async function carryOut(
  { remove, instead, excess }: Plan<Victim>,
  progress: GcWatch,
): Promise<{ removed: Planned[]; inUse: number }> {
  const removed: Planned[] = []
  const refused: Planned[] = []
  let left = excess
  const tryAll = async (victims: Planned[], isEnough: () => boolean): Promise<void> => {
    for (const victim of victims) {
      if (isEnough()) return
      const outcome = await take(victim)
      if (outcome === 'in-use') refused.push(victim)
      else left -= victim.bytes
      if (outcome !== 'removed') continue
      removed.push(victim)
      progress.removed(victim.bytes)
    }
  }
  await tryAll(remove, () => false)
  const inUse = await stillThere(refused)
  left -= sumOf(refused) - sumOf(inUse)
  await tryAll(instead, () => left <= 0)
  return { removed, inUse: inUse.length }
}

async function stillThere(victims: Victim[]): Promise<Victim[]> {
  const there: Victim[] = []
  for (const victim of victims) if (await isThere(victim)) there.push(victim)
  return there
}

/** Removes one entry, however young, unless it is in use. */
export async function removeEntry(opened: Opened, id: string): Promise<RemoveOutcome> {
  const path = opened.layout.entry(id)
  const usedAt = Number.POSITIVE_INFINITY
  return take({ kind: 'entry', id, path, usedAt, home: { opened, namespace: null } })
}

function refuseNonsense(numbers: Record<string, number | undefined>): void {
  for (const [name, value] of Object.entries(numbers))
    if (value !== undefined && Number.isNaN(value)) throw new TypeError(`${name} is not a number.`)
}
