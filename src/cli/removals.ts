/** What gc and clear print: how far they are; then a line for each thing that went, and one of what was freed. */
import type { GcReport, RemovalKind } from '../core/report.js'
import type { GcProgress } from '../latch/gc-watch.js'
import { countKinds, nameOfKept } from './kept.js'
import { startProgress } from './progress.js'
import { formatAge, formatSize } from './quantities.js'
import { columns, print } from './render.js'

const NUMBERS = new Set([0, 1])

export async function printRemovals(report: GcReport): Promise<void> {
  const now = Date.now()
  const rows = report.removed.map(({ bytes, usedAt, ...what }) => [
    formatSize(bytes),
    formatAge(usedAt, now),
    nameOfKept(what),
  ])
  await print(columns(rows, NUMBERS) + summary(report))
}

function summary({ dryRun, removed, freedBytes, inUse, leftovers, bytes, ...left }: GcReport): string {
  const size = formatSize(freedBytes)
  const gone = (wanted: RemovalKind): number => removed.filter(({ kind }) => kind === wanted).length
  const kinds = { entries: gone('entry'), units: gone('unit'), slots: gone('slot') }
  const remains = `${countKinds(left)} (${formatSize(bytes)})`
  if (dryRun) return `Would free ${size} in ${countKinds(kinds)}; ${remains} would stay.\n`
  const stayed = inUse === 0 ? '' : `; ${inUse} in use, and kept`
  return `Freed ${size} in ${countKinds({ ...kinds, leftovers })}${stayed}; ${remains} left.\n`
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
  if (step === 'looking') return `cachelatch: ${entries} seen`
  return `cachelatch: ${removed} of ${toRemove} removed, ${formatSize(freedBytes)} freed`
}
