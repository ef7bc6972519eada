/** Who waits for a lock, as told to others: for people, as an owner record is, and as little ground for anything. */
import { type Owner, type Surroundings, judge, parseOwner } from './owner.js'

export interface Waiter {
  /** `since`: when the wait began. */
  owner: Owner
  /** What the lock is for: see AcquireOptions. */
  label: string | null
  /** When it will have given up: milliseconds since 1970 on its clock; `null`: it waits as long as it takes. */
  deadline: number | null
}

/** Reads a record written by anybody: whatever is malformed is none. */
export function parseWaiter(value: unknown): Waiter | null {
  if (typeof value !== 'object' || value === null) return null
  const { owner, label, deadline } = value as Record<string, unknown>
  const parsed = parseOwner(owner)
  if (parsed === null || (deadline !== null && !Number.isFinite(deadline))) return null
  return {
    owner: parsed,
    label: typeof label === 'string' ? label : null,
    deadline: deadline as number | null,
  }
}

/** What waits without a limit, on a host that cannot be asked, is shown for so long. */
const LONGEST_WAIT_MS = 7 * 24 * 60 * 60 * 1000

/**
 * Whether the wait is over, and its record was left by a process that was killed. Where its host cannot be asked, by
 * the clock: two clocks that differ hide a waiter from people, and nothing else.
 */
export function isOver({ owner, deadline }: Waiter, here: Surroundings, now: number): boolean {
  const verdict = judge(owner, here)
  if (verdict !== 'unknown') return verdict === 'dead'
  return now > (deadline ?? owner.since + LONGEST_WAIT_MS)
}
