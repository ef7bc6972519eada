/** What the library says on its diagnostics channel during a test. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach } from 'vitest'
import type { LatchEvent } from '../../src/index.js'

/** Returns the events so far of one type, in order. */
export function useEvents(): <T extends LatchEvent['type']>(type: T) => Extract<LatchEvent, { type: T }>[] {
  let events: LatchEvent[] = []
  const collect = (event: unknown): void => void events.push(event as LatchEvent)
  beforeEach(() => {
    events = []
    subscribe('cachelatch', collect)
  })
  afterEach(() => void unsubscribe('cachelatch', collect))
  return <T extends LatchEvent['type']>(type: T) =>
    events.filter((event): event is Extract<LatchEvent, { type: T }> => event.type === type)
}
