/** What happens around workers that are run in slots. */

export type WorkerEvent =
  /** `slot`: `null` for a private directory. */
  | { type: 'worker-prepared'; worker: string; slot: number | null; path: string }
  | { type: 'worker-seeded'; worker: string; units: number; files: number; bytes: number; elapsedMs: number }
  | { type: 'worker-held-back'; worker: string; waitedMs: number }
  | { type: 'worker-started'; worker: string; pid: number | undefined }
  | { type: 'worker-published'; worker: string; unit: string; generation: number; bytes: number }
  | { type: 'worker-ended'; worker: string; exitCode: number }
  /** Variables that the user has set, and that were left alone. */
  | { type: 'variables-kept'; worker: string; names: string[] }
  /** `unit`: what cannot be published; `null`: the cache cannot be used, and the worker goes on without. */
  | { type: 'worker-degraded'; worker: string; unit: string | null; error: unknown }
