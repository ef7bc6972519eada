/** A status as people read it. */
import type {
  HolderReport,
  LeftoverCounts,
  ProcessReport,
  StatusReport,
  WaiterReport,
} from '../core/report.js'
import { printable } from '../core/printable.js'
import { countKinds } from './kept.js'
import { count, formatElapsed, formatSize } from './quantities.js'
import { columns } from './render.js'
import { readableKey } from './words.js'

export function describeStatus(report: StatusReport): string {
  const { holders, waiters } = report
  const lines = [
    summary(report),
    ...(holders.length === 0 ? ['Nobody holds a lock.\n'] : []),
    ...section(
      'Held',
      holders.map((holder) => holderRow(holder, report.at)),
    ),
    ...section(
      'Waiting',
      waiters.map((waiter) => waiterRow(waiter, report.at)),
    ),
    ...leftovers(report.leftovers),
    ...(report.complete ? [] : ['Processes of other users or containers cannot be looked into from here.\n']),
  ]
  return lines.join('')
}

function summary({ root, entries, units, bytes, inUse, stages }: StatusReport): string {
  const parts = [
    ...(entries === null ? [] : [`${countKinds({ entries, units: units ?? 0 })}, ${formatSize(bytes ?? 0)}`]),
    ...(inUse === null ? [] : [`${inUse} in use`]),
    ...(stages === 0 ? [] : [`${count(stages, 'write')} under way`]),
  ]
  return `${printable(root)}: ${parts.join('; ')}\n`
}

const ELAPSED = new Set([2])

function section(title: string, rows: string[][]): string[] {
  return rows.length === 0
    ? []
    : [
        `${title}:\n`,
        columns(
          rows.map((row) => ['', ...row]),
          ELAPSED,
        ),
      ]
}

function holderRow(holder: HolderReport, now: number): string[] {
  const others = holder.others === 0 ? '' : ` and ${count(holder.others, 'other')}`
  return [
    nameOf(holder),
    elapsed(holder.since, now),
    holder.building ? 'building' : '',
    `${processOf(holder)}${others}`,
    commandOf(holder),
  ]
}

function waiterRow(waiter: WaiterReport, now: number): string[] {
  const left = waiter.deadline === null ? 'no limit' : `${formatElapsed(waiter.deadline - now)} left`
  return [nameOf(waiter), elapsed(waiter.since, now), left, processOf(waiter), commandOf(waiter)]
}

function nameOf({ lock, key }: { lock: string; key: string | null }): string {
  return key === null ? lock : readableKey(key)
}

function elapsed(since: number | null, now: number): string {
  return since === null ? '?' : formatElapsed(now - since)
}

function processOf({ pid, host, verdict }: ProcessReport): string {
  if (pid === null) return 'an unknown process'
  return `pid ${pid} on ${host ?? '?'}${verdict === 'unknown' ? ' (cannot be asked)' : ''}`
}

const COMMAND_LENGTH = 60

function commandOf({ command }: ProcessReport): string {
  const text = command ?? ''
  return text.length <= COMMAND_LENGTH ? text : `${text.slice(0, COMMAND_LENGTH - 1)}…`
}

function leftovers({ stages, trash, drafts, records }: LeftoverCounts): string[] {
  const kinds: [number, string][] = [
    [stages, 'stage'],
    [records, 'record'],
    [drafts, 'draft'],
    [trash, 'removed entry'],
  ]
  const parts = kinds
    .filter(([number]) => number > 0)
    .map(([number, kind]) => count(number, kind, plural(kind)))
  return parts.length === 0 ? [] : [`Left by crashes, for 'cachelatch gc': ${parts.join(', ')}.\n`]
}

function plural(kind: string): string {
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`
}
