/** A timeline in words. */
import type { Outcome } from '../../core/outcome.js'
import { count } from '../quantities.js'
import { formatSpan } from './axis.js'
import type { Picture, Process } from './picture.js'
import { describeEnd } from './picture.js'

const OUTCOMES: Outcome[] = ['compiled', 'waited', 'hit', 'private']

function processesOf({ rows }: Picture): Process[] {
  return rows.flatMap(({ processes }) => processes)
}

/** `8 workers in 3.4 s: 1 compiled, 6 waited, 1 died`. */
export function summaryOf(picture: Picture): string {
  const processes = processesOf(picture)
  const parts = OUTCOMES.map((outcome): [number, string] => [
    processes.reduce((sum, { lane }) => sum + (lane.outcomes[outcome] ?? 0), 0),
    outcome === 'hit' ? 'found it there' : outcome,
  ])
  const fates = (['failed', 'died', 'alive'] as const).map((fate): [number, string] => [
    processes.filter((process) => process.fate === fate).length,
    fate === 'alive' ? 'still running' : fate,
  ])
  const told = [...parts, ...fates]
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}`)
  const head = `${count(picture.rows.length, 'worker')} in ${formatSpan(picture.to - picture.from)}`
  return told.length === 0 ? head : `${head}: ${told.join(', ')}`
}

/** What cannot be seen in the picture. */
export function notesOf({ hosts }: Picture): string[] {
  if (hosts.length < 2) return []
  return [`Events of ${hosts.length} hosts, each drawn by its own clock: they may be off against each other.`]
}

/** How the process ended, where that was not well, and what it had obtained: `hit ×3`. */
export function fateOf({ lane, fate }: Process): string {
  const outcomes = OUTCOMES.filter((outcome) => lane.outcomes[outcome]).map((outcome) => {
    const times = lane.outcomes[outcome]!
    return times === 1 ? outcome : `${outcome} ×${times}`
  })
  const end = fate === 'ended' ? [] : [fate === 'alive' ? 'still running' : describeEnd(lane)]
  return [...end, ...outcomes].join(', ')
}
