/** What a bar is made of. */

import type { WorkerState as State } from '../../core/report.js'

export type { State }

/** In the order of a legend. */
export const STATES: readonly State[] = [
  'starting',
  'waiting',
  'compiling',
  'holding',
  'loading',
  'ready',
  'failed',
  'died',
]

/** Often too short to be seen, and not worth showing longer than they were. */
export const MAY_VANISH: ReadonlySet<State> = new Set(['starting', 'waiting', 'ready'])

export interface Span {
  state: State
  /** Milliseconds since 1970, or since whatever the picture begins with. */
  from: number
  to: number
  /** What is compiled, for whom is waited …: for a person. */
  note?: string
}

/** Of one worker more cannot be told apart in any picture. */
const MAX_SPANS = 2_000

/** Appends, in bounded memory: where there are too many spans, each two of them become one. */
export function addSpan(spans: Span[], span: Span): void {
  const last = spans.at(-1)
  if (last && last.state === span.state && last.note === span.note && last.to === span.from) last.to = span.to
  else if (span.to > span.from || isMark(span.state)) spans.push(span)
  if (spans.length > MAX_SPANS) coarsen(spans)
}

/** A moment, not a time. */
export function isMark(state: State): boolean {
  return state === 'died' || state === 'failed'
}

function coarsen(spans: Span[]): void {
  let kept = 0
  for (let index = 0; index < spans.length; index += 2) {
    const [one, other] = [spans[index]!, spans[index + 1]]
    spans[kept++] = other ? { ...longer(one, other), from: one.from, to: other.to } : one
  }
  spans.length = kept
}

function longer(one: Span, other: Span): Span {
  return other.to - other.from > one.to - one.from ? other : one
}
