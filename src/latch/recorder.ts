/** Writes what happens in this process, as told on the diagnostics channel, into the file of events. */
import { subscribe } from 'node:diagnostics_channel'
import { messageOf } from '../core/errors.js'
import type { EventRecord, RecordedEvent, WorkerIdentity } from '../core/event-record.js'
import { keyLabel } from '../core/key.js'
import type { WorkerEvent } from '../core/worker-event.js'
import { processBegin, steadyWallTime } from '../host/clock.js'
import { EventFile } from '../host/event-file.js'
import { realHost } from '../host/host.js'
import { workerName } from '../host/settings.js'
import type { LatchEvent } from './events.js'

/** Texts are cut so that no line gets too long, however many bytes their characters take: see MAX_LINE_BYTES. */
const SHORT = 60
const LONG = 200

export function record(path: string): void {
  const file = new EventFile(path)
  const { processes } = realHost()
  const owner = processes.asOwner(processBegin())
  const host = clip(owner.host, SHORT)
  const name = workerName()
  const worker: WorkerIdentity = {
    token: processes.token(),
    host,
    pid: owner.pid,
    name: name === null ? null : clip(name, SHORT),
  }
  let order = 0
  const write = (event: RecordedEvent, at = steadyWallTime()): void => {
    const line: EventRecord = {
      schema: 1,
      at: Math.round(at * 1000) / 1000,
      order: order++,
      worker,
      ...event,
    }
    file.append(JSON.stringify(line))
  }
  write(
    { type: 'process-started', owner: { ...owner, host, command: clip(owner.command, LONG) } },
    processBegin(),
  )
  subscribe('cachelatch', (message) => {
    const event = recorded(message as LatchEvent | WorkerEvent)
    if (event) write(event)
  })
  process.on('exit', (exitCode) => write({ type: 'process-ended', exitCode }))
}

/** `null`: of no interest to somebody who looks at it afterwards. */
function recorded(event: LatchEvent | WorkerEvent): RecordedEvent | null {
  const { type } = event
  switch (type) {
    case 'waiting': {
      const { owner, waitedMs } = event
      const waitedFor = owner && { pid: owner.pid, host: clip(owner.host, SHORT) }
      return { type, ...lockOf(event), owner: waitedFor, waitedMs }
    }
    case 'wait-ended':
      return { type, ...lockOf(event), got: event.got }
    case 'build-started':
      return { type, key: keyOf(event) }
    case 'build-failed':
      return { type, key: keyOf(event), message: clip(messageOf(event.error), LONG) }
    case 'published':
      return { type, key: keyOf(event), bytes: event.bytes, ours: event.ours }
    case 'obtained': {
      const { outcome, path, elapsedMs } = event
      return { type, key: keyOf(event), outcome, path: clipFront(path), elapsedMs }
    }
    case 'released':
      return { type, path: clipFront(event.path) }
    case 'locked':
    case 'unlocked':
      return { type, target: clipFront(event.target) }
    case 'child-started':
      return { type, pid: event.pid, command: clip(event.command.join(' '), LONG) }
    case 'child-ended':
      return { type, exitCode: event.exitCode }
    case 'damaged':
      return { type: 'trouble', what: type, message: clip(event.reason, LONG) }
    case 'degraded':
    case 'lease-lost':
      return { type: 'trouble', what: type, message: clip(messageOf(event.error), LONG) }
    case 'worker-prepared':
      return { type, workerName: clip(event.worker, SHORT), slot: event.slot, path: clipFront(event.path) }
    case 'worker-seeded': {
      const { units, files, bytes } = event
      return { type, workerName: clip(event.worker, SHORT), units, files, bytes }
    }
    case 'worker-published':
      return { type, workerName: clip(event.worker, SHORT), unit: clipFront(event.unit), bytes: event.bytes }
    case 'worker-degraded':
      return { type: 'trouble', what: 'degraded', message: clip(messageOf(event.error), LONG) }
    default:
      return null
  }
}

function lockOf({ key, target }: { key?: string | undefined; target?: string | undefined }): {
  key: string | null
  target: string | null
} {
  return {
    key: key === undefined ? null : keyLabel(key),
    target: target === undefined ? null : clipFront(target),
  }
}

const keyOf = ({ key }: { key: string }): string => keyLabel(key)

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

/** Of a path, the end tells most. */
function clipFront(path: string): string {
  return path.length <= LONG ? path : `…${path.slice(1 - LONG)}`
}
