/** All workers of a timeline: a row for each, by the time at which it began. */
import type { EventRecord } from '../../core/event-record.js'
import type { Owner, Verdict } from '../../core/owner.js'
import type { TimelineReport } from '../../core/report.js'
import { type Activity, Lane } from './lane.js'
import { type Span, addSpan } from './spans.js'

/** `alive`: still running; `died`: gone without having said so, or on another machine and not heard of again. */
export type Fate = TimelineReport['workers'][number]['fate']

export interface Process {
  lane: Lane
  fate: Fate
}

/** One worker: a process, and those that took its place under the same name after it was gone. */
export interface Row {
  label: string
  processes: Process[]
  spans: Span[]
}

export interface Picture {
  /** Milliseconds since 1970. */
  from: number
  to: number
  rows: Row[]
  /** More than one: their bars are drawn by clocks that may differ. */
  hosts: string[]
}

export interface Present {
  now: number
  /** Whether a process that did not end is still there. */
  verdict: (owner: Owner) => Verdict
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>()

  constructor(private readonly onDone?: (lane: Lane, activity: Activity, to: number) => void) {}

  take(record: EventRecord): void {
    const { token } = record.worker
    let lane = this.#lanes.get(token)
    if (lane === undefined) {
      lane = new Lane(record, (activity, to) => this.onDone?.(lane!, activity, to))
      this.#lanes.set(token, lane)
    }
    lane.take(record)
  }

  /** Call once, when all records were taken. `null`: there were none. */
  finish(present: Present): Picture | null {
    const lanes = [...this.#lanes.values()].sort((a, b) => a.from - b.from)
    if (lanes.length === 0) return null
    const successions = successionsOf(lanes)
    const rows = rowsOf(lanes.map((lane) => end(lane, successions, present)))
    return {
      from: lanes[0]!.from,
      to: lanes.reduce((latest, { to }) => Math.max(latest, to), -Infinity),
      rows,
      hosts: [...new Set(lanes.map(({ worker }) => worker.host))],
    }
  }
}

/** When locks were had by those who had waited for them, by what the lock was for; ascending. */
type Successions = Map<string, { lane: Lane; at: number }[]>

function successionsOf(lanes: Lane[]): Successions {
  const successions: Successions = new Map()
  for (const lane of lanes) {
    for (const { subject, at } of lane.takenOver) {
      const some = successions.get(subject) ?? []
      successions.set(subject, some)
      some.push({ lane, at })
    }
  }
  for (const some of successions.values()) some.sort((a, b) => a.at - b.at)
  return successions
}

function end(lane: Lane, successions: Successions, { now, verdict }: Present): Process {
  if (lane.exitCode === 0) return { lane, fate: 'ended' }
  if (lane.exitCode !== null) return marked(lane, 'failed')
  if (lane.owner !== null && verdict(lane.owner) === 'alive') {
    lane.advanceTo(now)
    return { lane, fate: 'alive' }
  }
  lane.advanceTo(lastSignOfLife(lane, successions))
  return marked(lane, 'died')
}

/**
 * The dead do not say when they died. But who waits for a lock gets it as soon as its holder is gone: so a process
 * that held a lock to its end lived until the next one had it.
 */
function lastSignOfLife(lane: Lane, successions: Successions): number {
  const next = lane.unfinished
    .filter(({ state }) => state === 'compiling' || state === 'holding')
    .flatMap(({ subject, since }) => {
      const successor = successions.get(subject)?.find((other) => other.lane !== lane && other.at > since)
      return successor && successor.lane.worker.host === lane.worker.host ? [successor.at] : []
    })
  return Math.max(lane.to, ...next)
}

function marked(lane: Lane, state: 'failed' | 'died'): Process {
  addSpan(lane.spans, { state, from: lane.to, to: lane.to, note: describeEnd(lane) })
  return { lane, fate: state }
}

export function describeEnd({ exitCode }: Lane): string {
  return exitCode === null ? 'did not end' : `exit code ${exitCode}`
}

/** Named workers in the order of their names (`rank 2` before `rank 10`), the others by their begin. */
function inOrder(a: Row, b: Row): number {
  const [one, other] = [a.processes[0]!.lane, b.processes[0]!.lane]
  if ((one.worker.name === null) !== (other.worker.name === null)) return one.worker.name === null ? 1 : -1
  return (one.worker.name === null ? 0 : collator.compare(a.label, b.label)) || one.from - other.from
}

const collator = new Intl.Collator('en', { numeric: true })

/** Processes of one name that follow each other share a row: a worker that was started again. */
function rowsOf(processes: Process[]): Row[] {
  const rows: Row[] = []
  const byName = new Map<string, Row[]>()
  const names = new Set<string>()
  const hosts = new Set(processes.map(({ lane }) => lane.worker.host))
  for (const process of processes) {
    const { worker, from } = process.lane
    const where = hosts.size > 1 ? ` on ${worker.host}` : ''
    const name = `${worker.name ?? `pid ${worker.pid}`}${where}`
    const candidates = worker.name === null ? [] : (byName.get(name) ?? [])
    const row = candidates.find(({ processes }) => processes.at(-1)!.lane.to <= from)
    if (row) row.processes.push(process)
    else {
      const label = names.has(name) ? `${name} (pid ${worker.pid})` : name
      names.add(name)
      const started = { label, processes: [process], spans: [] }
      rows.push(started)
      byName.set(name, [...candidates, started])
    }
  }
  for (const row of rows) row.spans = row.processes.flatMap(({ lane }) => lane.spans)
  return rows.sort(inOrder)
}
