/** What was measured in one way's run, out of the workers' reports. The shape that --json prints. */
import type { Outcome, Phase, Step } from './messages.js'
import type { Attempt } from './start-worker.js'
import type { Supervised } from './supervise.js'
import type { Way } from './ways.js'

export type Span = { state: Phase | 'died'; from: number; to: number }

export type WayResult = {
  way: Way
  title: string
  workers: number
  ready: number
  /** Compiles of the model, as begun and ended by a worker; it may find some of the layers already compiled. */
  compiles: Record<Step, number>
  layers: Record<Step, number>
  failures: { worker: number; attempt: number; kind: string; message: string }[]
  numbers: { reference: string; digests: string[]; identical: boolean }
  /** From the barrier's opening until the first and until the last worker was ready; null where one never was. */
  seconds: { first: number | null; last: number | null }
  /** User and system time of the workers from birth to end; without the children that they may have started. */
  cpuSeconds: number
  /** Its CPU time is counted up to its last report, so many seconds before its end. */
  killed: { worker: number; pid: number; atSeconds: number; uncountedSeconds: number } | null
  outcomes: Partial<Record<Outcome, number>>
  /** What the waiting workers were told: for whom they wait, and since when. */
  waits: { worker: number; ownerPid: number | null; waitedSeconds: number }[]
  timeline: { worker: number; spans: Span[] }[]
}

type Run = Supervised & { way: Way; title: string; workers: number; reference: string }

export function measure({ way, title, workers, reference, releasedAt, attempts }: Run): WayResult {
  const since = (at: number) => (at - releasedAt) / 1000
  const ready = attempts.flatMap((attempt) => attempt.reports.filter((report) => report.is === 'ready'))
  const readyAt = ready.map(({ at }) => since(at)).sort((a, b) => a - b)
  const digests = [...new Set(ready.map(({ digest }) => digest))]
  const end = since(Math.max(...attempts.map(lastReportAt)))
  return {
    way,
    title,
    workers,
    ready: ready.length,
    compiles: stepsOf(attempts, 'compile'),
    layers: stepsOf(attempts, 'layer'),
    failures: attempts.flatMap(failureOf),
    numbers: { reference, digests, identical: digests.length === 1 && digests[0] === reference },
    seconds: {
      first: readyAt[0] ?? null,
      last: ready.length === workers ? (readyAt.at(-1) ?? null) : null,
    },
    cpuSeconds: attempts.reduce((sum, { reports }) => sum + (reports.at(-1)?.cpuSeconds ?? 0), 0),
    killed: killedOf(attempts, since),
    outcomes: countBy(ready.map(({ outcome }) => outcome)),
    waits: attempts.flatMap(({ worker, reports }) =>
      reports
        .filter((report) => report.is === 'told-to-wait')
        .map(({ ownerPid, waitedMs }) => ({ worker, ownerPid, waitedSeconds: waitedMs / 1000 })),
    ),
    timeline: Array.from({ length: workers }, (_, index) => ({
      worker: index + 1,
      spans: attempts
        .filter(({ worker }) => worker === index + 1)
        .flatMap((attempt) => spansOf(attempt, since, end)),
    })),
  }
}

function stepsOf(attempts: Attempt[], kind: 'compile' | 'layer'): Record<Step, number> {
  const steps = attempts.flatMap(({ reports }) =>
    reports.flatMap((report) => (report.is === kind && 'step' in report ? [report.step] : [])),
  )
  return { started: 0, finished: 0, ...countBy(steps) }
}

function failureOf({ worker, attempt, reports, killed, exit }: Attempt): WayResult['failures'] {
  const told = reports.find((report) => report.is === 'failed')
  if (told) return [{ worker, attempt, kind: told.kind, message: told.message }]
  if (killed || reports.some((report) => report.is === 'done')) return []
  return [{ worker, attempt, kind: 'died', message: exit }]
}

function killedOf(attempts: Attempt[], since: (at: number) => number): WayResult['killed'] {
  const victim = attempts.find(({ killed }) => killed)
  if (!victim) return null
  const { worker, pid, endedAt } = victim
  const uncountedSeconds = (endedAt - lastReportAt(victim)) / 1000
  return { worker, pid, atSeconds: since(endedAt), uncountedSeconds }
}

function spansOf(attempt: Attempt, since: (at: number) => number, end: number): Span[] {
  const { reports, killed, startedAt } = attempt
  const phases = reports.filter((report) => report.is === 'phase')
  const died = killed || failureOf(attempt).length > 0
  const begun: { state: Span['state']; at: number }[] = [
    { state: 'starting', at: Math.max(0, since(startedAt)) },
    ...phases.map(({ phase, at }) => ({ state: phase, at: since(at) })),
    ...(died
      ? [{ state: 'died' as const, at: since(killed ? attempt.endedAt : lastReportAt(attempt)) }]
      : []),
  ]
  return begun.map(({ state, at }, index) => ({
    state,
    from: at,
    to: begun[index + 1]?.at ?? (state === 'died' ? at : end),
  }))
}

function lastReportAt({ reports, startedAt }: Attempt): number {
  return reports.at(-1)?.at ?? startedAt
}

function countBy<T extends string>(values: T[]): Partial<Record<T, number>> {
  const counts: Partial<Record<T, number>> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
