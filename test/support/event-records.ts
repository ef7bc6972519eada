/** Events as a process would have recorded them. */
import type { EventRecord, RecordedEvent } from '../../src/core/event-record.js'
import type { Owner } from '../../src/core/owner.js'

export interface Told {
  token?: string
  name?: string | null
  host?: string
  pid?: number
}

/** Returns the way to write the records of one process, one after the other. */
export function eventsOf({ token = 'a', name = null, host = 'node1', pid = 100 }: Told = {}): (
  at: number,
  event: RecordedEvent,
) => EventRecord {
  let order = 0
  return (at, event) => ({ schema: 1, at, order: order++, worker: { token, host, pid, name }, ...event })
}

export function started({ host = 'node1', pid = 100 }: Told = {}): RecordedEvent {
  const owner: Owner = {
    pid,
    startTime: '1',
    bootId: 'boot',
    pidNamespace: 'pid:[1]',
    host,
    command: 'serve',
    since: 0,
  }
  return { type: 'process-started', owner }
}

export const waiting = (key: string): RecordedEvent => ({
  type: 'waiting',
  key,
  target: null,
  owner: { pid: 7, host: 'node1' },
  waitedMs: 0,
})

export const waitEnded = (key: string, got = true): RecordedEvent => ({
  type: 'wait-ended',
  key,
  target: null,
  got,
})

export const obtained = (key: string, outcome: 'hit' | 'compiled' | 'waited'): RecordedEvent => ({
  type: 'obtained',
  key,
  outcome,
  path: `/cache/${key}`,
  elapsedMs: 1,
})

export const released = (key: string): RecordedEvent => ({ type: 'released', path: `/cache/${key}` })
export const ended = (exitCode = 0): RecordedEvent => ({ type: 'process-ended', exitCode })
