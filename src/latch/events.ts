/**
 * What happens, for those who want to watch: one diagnostics channel, `cachelatch`. What a person must know without
 * having asked also goes out as a process warning, so that no guarantee is ever given up in silence.
 */
import { channel } from 'node:diagnostics_channel'
import type { Outcome } from '../core/outcome.js'
import { describeOwner } from '../core/owner.js'
import { warn } from '../host/process.js'
import type { Wait } from '../lock/locker.js'

export type LatchEvent =
  | ({ type: 'waiting' } & Wait)
  | { type: 'build-started'; key: string; stage: string }
  | { type: 'build-failed'; key: string; error: unknown; elapsedMs: number }
  | {
      type: 'published'
      key: string
      path: string
      bytes: number
      buildMs: number
      publishMs: number
      ours: boolean
    }
  | { type: 'obtained'; key: string; path: string; outcome: Outcome; elapsedMs: number }
  | { type: 'damaged'; key: string; path: string; reason: string }
  | { type: 'unpinned'; path: string; error: unknown }
  | { type: 'lease-lost'; path: string; error: unknown }
  | { type: 'degraded'; root: string; key: string; error: unknown }

const events = channel('cachelatch')

export function emit(event: LatchEvent): void {
  if (events.hasSubscribers) events.publish(event)
}

export function announceWait(wait: Wait): void {
  emit({ type: 'waiting', ...wait })
  const seconds = Math.round(wait.waitedMs / 1000)
  const limit = Number.isFinite(wait.timeoutMs)
    ? `, at most ${Math.round(wait.timeoutMs / 1000)} s (timeoutMs)`
    : ''
  const since = wait.owner ? `, since ${new Date(wait.owner.since).toISOString()}` : ''
  warn(
    `Waiting for ${describeOwner(wait.owner)}${since}: ${seconds} s so far${limit}. Lock: ${wait.path}`,
    'CACHELATCH_WAITING',
  )
}

/** The cache could not be used, and the work goes on without. */
export function announceDegradation(root: string, key: string, error: unknown): void {
  emit({ type: 'degraded', root, key, error })
  const why = error instanceof Error ? error.message : String(error)
  warn(`The cache cannot be used, compiling into a private directory: ${why}`, 'CACHELATCH_DEGRADED')
}

export function announceDamage(key: string, path: string, reason: string): void {
  emit({ type: 'damaged', key, path, reason })
  warn(`A damaged entry is set aside and compiled anew: ${reason} (${path})`, 'CACHELATCH_DAMAGED')
}
