/** What is kept in a cache, in words: entries, units of snapshots, slots. */
import type { RemovalKind } from '../core/report.js'
import { count } from './quantities.js'

export interface Kept {
  kind: RemovalKind
  id: string
  /** As it is to be shown. */
  key: string | null
  namespace: string | null
  unit: string | null
}

export function nameOfKept({ kind, id, key, namespace, unit }: Kept): string {
  if (kind === 'entry') return key ?? id
  return `${kind} ${unit ?? id} of ${namespace}`
}

/** `3 entries, 2 units and 1 slot`; of what there is none, nothing is said. */
export function countKinds({
  entries,
  units = 0,
  slots = 0,
  leftovers = 0,
}: {
  entries: number
  units?: number
  slots?: number
  leftovers?: number
}): string {
  const isAll = units + slots === 0
  const parts = [
    ...(entries > 0 || isAll ? [count(entries, 'entry', 'entries')] : []),
    ...(units > 0 ? [count(units, 'unit')] : []),
    ...(slots > 0 ? [count(slots, 'slot')] : []),
    ...(leftovers > 0 ? [count(leftovers, 'leftover')] : []),
  ]
  const last = parts.pop()!
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`
}
