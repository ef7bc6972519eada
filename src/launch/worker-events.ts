/** What happens around workers, for launchers that want to watch; also on the diagnostics channel `cachelatch`. */
import { channel } from 'node:diagnostics_channel'

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

const events = channel('cachelatch')

export function emitWorkerEvent(event: WorkerEvent, onEvent?: (event: WorkerEvent) => void): void {
  onEvent?.(event)
  if (events.hasSubscribers) events.publish(event)
}
