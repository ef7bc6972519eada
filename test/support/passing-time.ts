/**
 * Time that can be made to pass on the real host of this process: what is kept for a second (a lock file) or written
 * after ten (statistics) is over at once, and what is never over shows.
 */
import { realHost } from '../../src/host/host.js'
import { isQuiet } from './node-fs.js'

const host = realHost()
const { clock } = host
const pending = new Map<() => void, number>()
let aheadMs = 0

host.clock = {
  ...clock,
  now: () => clock.now() + aheadMs,
  later(ms, tick) {
    const due = host.clock.now() + ms
    const once = (): void => {
      pending.delete(once)
      cancel()
      tick()
    }
    const cancel = clock.later(ms, once)
    pending.set(once, due)
    return () => {
      pending.delete(once)
      cancel()
    }
  },
}

/** Far longer than anything is put off. */
const AGES_MS = 10 * 60_000
const ROUNDS = 5

/** Lets what was put off for no longer than this come due. */
export async function letPass(ms: number): Promise<void> {
  await isQuiet()
  aheadMs += ms
  for (const [tick, due] of pending) if (due <= host.clock.now()) tick()
  await isQuiet()
}

/** Lets all that was put off come due. @returns how much is put off again and again */
export async function passTime(): Promise<number> {
  await isQuiet()
  for (let round = 0; round < ROUNDS && pending.size > 0; round++) await letPass(AGES_MS)
  return pending.size
}
