/** What gc and clear print: how far they are; then a line for each entry that went, and one of what was freed. */
import type { GcReport } from '../core/report.js'
import type { GcProgress } from '../latch/gc-watch.js'
import { startProgress } from './progress.js'
import { count, formatAge, formatSize } from './quantities.js'
import { columns, print } from './render.js'

const NUMBERS = new Set([0, 1])

export async function printRemovals(report: GcReport): Promise<void> {
  const now = Date.now()
  const rows = report.removed.map(({ id, key, bytes, usedAt }) => [
    formatSize(bytes),
    formatAge(usedAt, now),
    key ?? id,
  ])
  await print(columns(rows, NUMBERS) + summary(report))
}

function summary({ dryRun, removed, freedBytes, inUse, leftovers, entries, bytes }: GcReport): string {
  const freed = `${formatSize(freedBytes)} in ${count(removed.length, 'entry', 'entries')}`
  const remains = `${count(entries, 'entry', 'entries')} (${formatSize(bytes)})`
  if (dryRun) return `Would free ${freed}; ${remains} would stay.\n`
  const more = leftovers === 0 ? '' : ` and ${count(leftovers, 'leftover')}`
  const stayed = inUse === 0 ? '' : `; ${inUse} in use, and kept`
  return `Freed ${freed}${more}${stayed}; ${remains} left.\n`
}

/** Runs `work`, and says how far it is. */
export async function watchRemovals(
  quiet: boolean,
  work: (watch: { onProgress: (progress: GcProgress) => void }) => Promise<GcReport>,
): Promise<GcReport> {
  const progress = await startProgress(quiet)
  try {
    return await work({ onProgress: (state) => progress.show(() => describeProgress(state)) })
  } finally {
    progress.hide()
  }
}

function describeProgress({ step, entries, removed, toRemove, freedBytes }: GcProgress): string {
  if (step === 'leftovers') return 'cachelatch: looking for what crashes have left'
  if (step === 'looking') return `cachelatch: ${count(entries, 'entry', 'entries')} seen`
  return `cachelatch: ${removed} of ${count(toRemove, 'entry', 'entries')} removed, ${formatSize(freedBytes)} freed`
}
