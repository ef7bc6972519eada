/** Tells what happens around workers: to a launcher that wants to watch, and on the diagnostics channel. */
import { channel } from 'node:diagnostics_channel'
import type { WorkerEvent } from '../core/worker-event.js'

export type { WorkerEvent }

const events = channel('cachelatch')

export function emitWorkerEvent(event: WorkerEvent, onEvent?: (event: WorkerEvent) => void): void {
  onEvent?.(event)
  if (events.hasSubscribers) events.publish(event)
}
