/**
 * Making room. `plan` is arithmetic; `takeAway` removes one entry, and asks whoever knows the pins before it does.
 *
 * Invariants:
 * - An entry leaves by one rename (trash.ts), never file by file: a reader sees all of it, or none.
 * - What was moved is what was claimed, looked at after the move. Else it goes back:
 *     we: claim the damaged entry E     a reader: sets E aside, compiles and publishes E'
 *     we: move what is there: E', which we have no claim to
 */
import type { RemovalReason } from '../core/report.js'
import type { Disk } from '../host/disk.js'
import { attempt } from '../host/disk-errors.js'
import { assertInside } from './inside.js'
import type { Layout } from './layout.js'
import { discard } from './stage.js'
import { moveOut } from './trash.js'

export interface Limits {
  /** Bytes that all entries together may have. */
  maxBytes?: number | undefined
  /** Milliseconds since the last use. */
  maxAgeMs?: number | undefined
  /** Milliseconds: what was used or published more recently stays. */
  graceMs: number
  /** Milliseconds since 1970. */
  now: number
}

export interface Candidate {
  id: string
  bytes: number
  usedAt: number
  /** Another has taken its place: it goes regardless of limits. */
  superseded?: boolean | undefined
}

export interface Plan<C extends Candidate> {
  /** What has to go, in this order. */
  remove: (C & { why: RemovalReason })[]
  /** What goes instead where one of these is in use; least recently used first. */
  instead: (C & { why: RemovalReason })[]
  /** By how many bytes all of it is too large; negative: so much more would fit. */
  excess: number
}

export function plan<C extends Candidate>(items: readonly C[], limits: Limits): Plan<C> {
  const { maxBytes = Number.POSITIVE_INFINITY, maxAgeMs = Number.POSITIVE_INFINITY, graceMs, now } = limits
  // A time of use that lies ahead is a clock's that was wrong: it must not protect an entry forever.
  const isYoung = ({ usedAt }: C): boolean => Math.abs(now - usedAt) < graceMs
  const isExpired = (item: C): boolean => !isYoung(item) && now - item.usedAt > maxAgeMs
  const superseded = items.filter((item) => item.superseded)
  const current = items.filter((item) => !item.superseded)
  const expired = current.filter(isExpired).sort(byLastUse)
  const staying = current.filter((item) => !isExpired(item))
  const removable = staying.filter((item) => !isYoung(item)).sort(byLastUse)
  const excess = sumOf(items) - maxBytes
  let count = 0
  for (let left = excess - sumOf(superseded) - sumOf(expired); left > 0 && count < removable.length; count++)
    left -= removable[count]!.bytes
  const surplus = because('size', removable)
  return {
    remove: [...because('superseded', superseded), ...because('age', expired), ...surplus.slice(0, count)],
    instead: surplus.slice(count),
    excess,
  }
}

function because<C>(why: RemovalReason, items: C[]): (C & { why: RemovalReason })[] {
  return items.map((item) => Object.assign({ why }, item))
}

export function sumOf(items: readonly { bytes: number }[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Of what was last used at one time, what came first stays first. */
function byLastUse(a: Candidate, b: Candidate): number {
  return a.usedAt - b.usedAt
}

/** The right to remove an entry: while it lasts, nobody can pin it. */
export interface Claim {
  /** When the entry was last used, as seen now. */
  usedAt: number
  /** Whether what lies there now is what was claimed, and nobody has pinned or used it since. */
  isMeant: (place: string) => Promise<boolean>
  letGo(): Promise<void>
}

/** `in-use`: somebody has pinned it, or another collector is at it. */
export type Claiming = Claim | 'in-use' | 'missing'

/** Removes the entry unless it is in use, or has been used since `usedAt`. */
export async function takeAway(
  disk: Disk,
  layout: Layout,
  item: { id: string; usedAt: number },
  token: string,
  claim: (id: string) => Promise<Claiming>,
): Promise<'removed' | 'in-use' | 'missing'> {
  await assertInside(disk, layout.entry(item.id))
  const claimed = await claim(item.id)
  if (typeof claimed === 'string') return claimed
  let doomed: string | null
  try {
    if (claimed.usedAt > item.usedAt) return 'in-use'
    const { isMeant } = claimed
    doomed = await moveOut(disk, layout, { path: layout.entry(item.id), token, isMeant })
  } finally {
    await attempt(claimed.letGo())
  }
  if (doomed === null) return 'in-use'
  await discard(disk, doomed)
  return 'removed'
}
