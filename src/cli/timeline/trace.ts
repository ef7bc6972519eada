/**
 * Chrome trace events, for Perfetto and chrome://tracing: the JSON object format of "Trace Event Format" (Google,
 * 2016), with complete events (ph X), instant events (ph i) and metadata (ph M). Times are microseconds.
 *
 * Written as records are read, so that memory does not grow with the file.
 */
import type { Activity, Lane } from './lane.js'
import { type Picture, type Process, describeEnd } from './picture.js'

interface TraceEvent {
  name: string
  ph: 'X' | 'i' | 'M'
  pid: number
  tid: number
  cat?: string
  ts?: number
  dur?: number
  s?: 'p'
  args?: Record<string, unknown>
}

/** The process itself has track 0; what goes on in it has the lowest track that was free at its begin. */
interface Tracks {
  /** Pids of two containers may be the same: the trace has numbers of its own. */
  pid: number
  busyUntil: number[]
}

const micros = (ms: number): number => Math.round(ms * 1_000)

export class Trace {
  readonly #tracks = new Map<Lane, Tracks>()
  #begun = false
  #processes = 0

  constructor(private readonly write: (text: string) => void) {}

  activity(lane: Lane, { state, subject, since, note }: Activity, to: number): void {
    const { pid, busyUntil } = this.#tracksOf(lane)
    const free = busyUntil.findIndex((until) => until <= since)
    const track = free === -1 ? busyUntil.length : free
    busyUntil[track] = to
    const span = { ts: micros(since), dur: micros(to) - micros(since) }
    this.#event({
      name: state,
      cat: 'cachelatch',
      ph: 'X',
      pid,
      tid: track + 1,
      ...span,
      args: { subject, note },
    })
  }

  finish({ rows }: Picture): void {
    for (const { label, processes } of rows) for (const process of processes) this.#process(label, process)
    this.write('\n],"displayTimeUnit":"ms"}\n')
  }

  #process(label: string, { lane, fate }: Process): void {
    for (const activity of lane.unfinished) this.activity(lane, activity, lane.to)
    const { pid, busyUntil } = this.#tracksOf(lane)
    const { host, pid: osPid } = lane.worker
    const whole = { cat: 'process', pid, tid: 0 }
    const [ts, end] = [micros(lane.from), micros(lane.to)]
    const args = { command: lane.command, host, pid: osPid, fate }
    this.#event({ ...whole, name: label, ph: 'X', ts, dur: end - ts, args })
    if (fate === 'died' || fate === 'failed')
      this.#event({ ...whole, name: describeEnd(lane), ph: 'i', s: 'p', ts: end })
    this.#metadata('process_name', pid, 0, { name: `${label} (pid ${osPid} on ${host})` })
    this.#metadata('process_sort_index', pid, 0, { sort_index: this.#processes++ })
    this.#metadata('thread_name', pid, 0, { name: 'process' })
    for (const track of busyUntil.keys())
      this.#metadata('thread_name', pid, track + 1, { name: 'cachelatch' })
  }

  #tracksOf(lane: Lane): Tracks {
    let tracks = this.#tracks.get(lane)
    if (tracks === undefined) this.#tracks.set(lane, (tracks = { pid: this.#tracks.size + 1, busyUntil: [] }))
    return tracks
  }

  #metadata(name: string, pid: number, tid: number, args: Record<string, unknown>): void {
    this.#event({ name, ph: 'M', pid, tid, args })
  }

  #event(event: TraceEvent): void {
    this.write(`${this.#begun ? ',' : '{"traceEvents":['}\n${JSON.stringify(event)}`)
    this.#begun = true
  }
}
