/** The timeline as --json prints it. */
import type { TimelineReport } from '../../core/report.js'
import type { Picture } from './picture.js'

export function timelineReport({ from, to, rows }: Picture, skippedLines: number): TimelineReport {
  const workers = rows.flatMap(({ label, processes }) =>
    processes.map(({ lane, fate }) => ({
      worker: label,
      token: lane.worker.token,
      host: lane.worker.host,
      pid: lane.worker.pid,
      command: lane.command,
      from: lane.from,
      to: lane.to,
      fate,
      exitCode: lane.exitCode,
      outcomes: lane.outcomes,
      spans: lane.spans.map(({ note = null, ...span }) => ({ ...span, note })),
      troubles: lane.troubles,
    })),
  )
  return { schema: 1, from, to, workers, skippedLines }
}
