/**
 * Time, and what happens next. Whatever a simulated process waits for (a disk call, a timer, a message) is an event
 * here with a moment of its own; one happens at a time, and all code that it sets free runs to its end before the next.
 * The moments are drawn from the seed, so the order in which processes get on is as well.
 */
import { setImmediate } from 'node:timers'
import type { Chance } from './random.js'
import { Trace } from './trace.js'

export interface Event {
  at: number
  happen: () => void
  cancelled?: boolean
}

export class Scheduler {
  /** Milliseconds since the world began, as nobody in it can see them. */
  now = 0
  steps = 0
  readonly trace: Trace = new Trace(() => this.now)
  readonly #queue: (Event & { order: number })[] = []
  #order = 0

  constructor(readonly chance: Chance) {}

  after(ms: number, happen: () => void): Event {
    const event = { at: this.now + Math.max(0, ms), happen, order: this.#order++ }
    this.#insert(event)
    return event
  }

  /** Until `isOver`, or nothing can happen any more: then somebody waits for ever, which is what `stuck` is to say. */
  async run(isOver: () => boolean, maxSteps: number, between: () => void, stuck: () => Error): Promise<void> {
    for (const last = this.steps + maxSteps; ; this.steps++) {
      await settle()
      between()
      if (isOver()) return
      const event = this.#pop()
      if (event === undefined || this.steps > last) throw stuck()
      if (event.cancelled) continue
      this.now = Math.max(this.now, event.at)
      event.happen()
    }
  }

  #insert(event: Event & { order: number }): void {
    const queue = this.#queue
    let index = queue.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isEarlier(event, queue[parent]!)) break
      queue[index] = queue[parent]!
      index = parent
    }
    queue[index] = event
  }

  #pop(): (Event & { order: number }) | undefined {
    const queue = this.#queue
    const first = queue[0]
    const last = queue.pop()
    if (first === undefined || last === undefined || queue.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= queue.length) break
      if (child + 1 < queue.length && isEarlier(queue[child + 1]!, queue[child]!)) child++
      if (!isEarlier(queue[child]!, last)) break
      queue[index] = queue[child]!
      index = child
    }
    queue[index] = last
    return first
  }
}

function isEarlier(a: Event & { order: number }, b: Event & { order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** All promises that are settled have been heard of: there are microtasks only. */
export function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
