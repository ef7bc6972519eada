/** What a worker process tells its supervisor. */
export type Phase = 'starting' | 'waiting' | 'compiling' | 'loading' | 'ready'
export type Step = 'started' | 'finished'
export type Outcome = 'hit' | 'compiled' | 'waited' | 'private'

export type WorkerEvent =
  | { is: 'prepared' }
  | { is: 'phase'; phase: Phase }
  | { is: 'compile'; step: Step }
  | { is: 'layer'; step: Step; name: string }
  | { is: 'told-to-wait'; ownerPid: number | null; waitedMs: number }
  | { is: 'ready'; outcome: Outcome; digest: string }
  | { is: 'failed'; kind: string; message: string }
  | { is: 'done' }

/** `at` is on the clock of now(); `cpuSeconds` is what the process has used since it was born. */
export type Report = WorkerEvent & { at: number; cpuSeconds: number }
export type Tell = (event: WorkerEvent) => void

/** Milliseconds on the monotonic clock, which all processes of a host share: workers' times can be compared. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export function withMeasures(event: WorkerEvent): Report {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  return { ...event, at: now(), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }
}
