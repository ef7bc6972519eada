/**
 * One process, out of its events in their order: what it was busy with, and how it ended. It may be busy with several
 * things at once; a bar shows the one that matters most.
 */
import type { EventRecord, WorkerIdentity } from '../../core/event-record.js'
import type { Outcome } from '../../core/outcome.js'
import type { Owner } from '../../core/owner.js'
import { formatSize } from '../quantities.js'
import { type Span, type State, addSpan } from './spans.js'

export interface Activity {
  state: State
  /** The key or the path. */
  subject: string
  since: number
  note: string
}

/** What matters more comes first: a process that builds one key and waits for another is compiling. */
const PRECEDENCE: State[] = ['compiling', 'waiting', 'holding', 'loading', 'ready']
/** Of each kind of thing that a process may have many of, the newest are remembered. */
const MAX_REMEMBERED = 1_000

export class Lane {
  readonly spans: Span[] = []
  readonly outcomes: Partial<Record<Outcome, number>> = {}
  readonly worker: WorkerIdentity
  readonly from: number
  /** Up to where the spans reach. */
  to: number
  owner: Owner | null = null
  command = ''
  exitCode: number | null = null
  readonly troubles: string[] = []
  /** Locks that were had after a wait: whoever held them before was alive, or only just dead. */
  readonly takenOver: { subject: string; at: number }[] = []
  readonly #activities = new Map(PRECEDENCE.map((state) => [state, new Map<string, Activity>()]))
  #order = -1
  /** Whether anything has been obtained: before that it is starting, after it ready. */
  #settled = false

  /** @param onDone told of each activity that ends */
  constructor(
    first: EventRecord,
    private readonly onDone: (activity: Activity, to: number) => void = () => undefined,
  ) {
    this.worker = first.worker
    this.from = first.at
    this.to = first.at
  }

  /** What is still going on. */
  get unfinished(): Activity[] {
    return [...this.#activities.values()].flatMap((some) => Array.from(some.values()))
  }

  /** Takes no record twice: the same file may be named twice. */
  take(record: EventRecord): void {
    if (record.order <= this.#order || this.exitCode !== null) return
    this.#order = record.order
    this.#advance(record.type === 'waiting' ? record.at - record.waitedMs : record.at)
    this.#apply(record)
    this.#advance(record.at)
  }

  /** Draws what is still going on, up to `at`. */
  advanceTo(at: number): void {
    this.#advance(at)
  }

  #apply(record: EventRecord): void {
    switch (record.type) {
      case 'process-started':
        this.owner = record.owner
        this.command = record.owner.command
        return
      case 'process-ended':
        this.exitCode = record.exitCode
        for (const { state, subject } of this.unfinished) this.#close(state, subject)
        return
      case 'waiting': {
        const { owner } = record
        const subject = subjectOf(record)
        const note = owner ? `${subject}, for pid ${owner.pid} on ${owner.host}` : subject
        return this.#open('waiting', subject, note)
      }
      case 'wait-ended':
        if (record.got) remember(this.takenOver, { subject: subjectOf(record), at: record.at })
        return this.#close('waiting', subjectOf(record))
      case 'build-started':
        return this.#open('compiling', record.key)
      case 'build-failed':
        return this.#close('compiling', record.key, `${record.key}, failed: ${record.message}`)
      case 'published':
        return this.#close('compiling', record.key, `${record.key}, ${formatSize(record.bytes)}`)
      case 'obtained':
        this.outcomes[record.outcome] = (this.outcomes[record.outcome] ?? 0) + 1
        this.#settled = true
        this.#close('compiling', record.key)
        return this.#open('loading', record.path, record.key)
      case 'released':
        return this.#close('loading', record.path)
      case 'locked':
        return this.#open('holding', record.target)
      case 'unlocked':
        this.#settled = true
        return this.#close('holding', record.target)
      case 'child-started':
        this.command = record.command
        return this.#open('ready', '', record.command)
      case 'child-ended':
        return this.#close('ready', '')
      case 'worker-prepared':
        return record.slot === null
          ? undefined
          : this.#open('loading', record.workerName, `slot ${record.slot}`)
      case 'worker-seeded':
        return this.#close('loading', record.workerName, `${record.units} units, ${formatSize(record.bytes)}`)
      case 'worker-published':
        return
      case 'trouble':
        return remember(this.troubles, `${record.what}: ${record.message}`)
    }
  }

  #open(state: State, subject: string, note = subject): void {
    const some = this.#activities.get(state)!
    const activity = some.get(subject)
    if (activity) return this.#rename(activity, note)
    some.set(subject, { state, subject, since: this.to, note })
    if (some.size > MAX_REMEMBERED) some.delete(some.keys().next().value!)
  }

  #close(state: State, subject: string, note?: string): void {
    const some = this.#activities.get(state)!
    const activity = some.get(subject)
    if (activity === undefined) return
    if (note !== undefined) this.#rename(activity, note)
    some.delete(subject)
    this.onDone(activity, this.to)
  }

  /** What is learnt about an activity holds from its begin. */
  #rename(activity: Activity, note: string): void {
    const last = this.spans.at(-1)
    if (last?.state === activity.state && last.note === activity.note) last.note = note
    activity.note = note
  }

  #advance(at: number): void {
    if (at <= this.to) return
    const busy = this.#busiest()
    const span = busy ?? { state: this.#settled ? ('ready' as const) : ('starting' as const), note: '' }
    addSpan(this.spans, {
      state: span.state,
      from: this.to,
      to: at,
      ...(span.note !== '' && { note: span.note }),
    })
    this.to = at
  }

  #busiest(): Activity | undefined {
    for (const some of this.#activities.values()) if (some.size > 0) return some.values().next().value
    return undefined
  }
}

function subjectOf({ key, target }: { key: string | null; target: string | null }): string {
  return key ?? target ?? ''
}

function remember<T>(items: T[], item: T): void {
  items.push(item)
  if (items.length > MAX_REMEMBERED) items.shift()
}
