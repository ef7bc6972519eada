/** A status that goes on: redrawn in place on a terminal, printed anew at each change where there is none. */
import type { StatusReport } from '../core/report.js'
import { realClock } from '../host/clock.js'
import type { Cache } from '../latch/cache.js'
import { describeStatus } from './status-text.js'

const EVERY_MS = 1_000
/** Counting a hundred thousand entries takes seconds: that is done anew after so many times as long. */
const REST = 20

/** Resolves at Ctrl-C: whoever watches has no other way to say that it is enough, so that is no failure. */
export async function watchStatus(
  cache: Cache,
  show: (report: StatusReport) => Promise<void>,
  isTerminal: boolean,
): Promise<void> {
  const end = new AbortController()
  const stop = (): void => end.abort()
  // Not `once`: what brings the cursor back ends the process, unless somebody else still listens.
  process.on('SIGINT', stop)
  try {
    await (isTerminal ? redraw(cache, end.signal) : printChanges(cache, show, end.signal))
  } finally {
    process.off('SIGINT', stop)
  }
}

async function redraw(cache: Cache, signal: AbortSignal): Promise<void> {
  const { default: draw } = await import('log-update')
  try {
    for await (const report of reports(cache, signal)) draw(describeStatus(report).trimEnd())
  } finally {
    draw.done()
  }
}

async function printChanges(
  cache: Cache,
  show: (report: StatusReport) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let last = ''
  for await (const report of reports(cache, signal)) {
    const now = JSON.stringify({ ...report, at: 0 })
    if (now !== last) await show(report)
    last = now
  }
}

async function* reports(cache: Cache, signal: AbortSignal): AsyncGenerator<StatusReport> {
  let counted: Pick<StatusReport, 'entries' | 'bytes'> = { entries: null, bytes: null }
  for (let countAgainAt = Number.NEGATIVE_INFINITY; !signal.aborted;) {
    const started = realClock.now()
    const entries = started >= countAgainAt
    const report = await cache.status({ entries })
    if (entries) counted = { entries: report.entries, bytes: report.bytes }
    const now = realClock.now()
    if (entries) countAgainAt = now + REST * (now - started)
    yield { ...report, ...counted }
    await realClock.sleep(EVERY_MS, signal).catch(() => undefined)
  }
}
