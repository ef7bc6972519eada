/** What was seen, in a few words: the worst of all scenes of a fault. */
import type { Seen } from './scene.js'

export interface Outcome {
  words: string
  /** What no cache may do: a torn result, an error for a worker, a worker that never comes on. */
  isBad: boolean
}

export function outcomeOf(seen: Seen[]): Outcome {
  const count = (is: (each: Seen) => boolean): string => {
    const number = seen.filter(is).length
    return number === 0 ? '' : number === seen.length ? 'always' : `${number} of ${seen.length}`
  }
  const torn = count((each) => each.torn > 0)
  const stuck = count(({ answers }) => answers.includes('stuck'))
  const failures = [...new Set(seen.flatMap(({ answers }) => answers.filter(isFailure)))]
  const failed = count(({ answers }) => answers.some(isFailure))
  const bad = [
    torn && `**torn** (${torn})`,
    stuck && `**stuck** (${stuck})`,
    failed && `**${failures.map((each) => each.replace('failed ', '')).join(', ')}** (${failed})`,
  ].filter(Boolean)
  const good = torn || failed ? [] : ['whole']
  return { words: [times(seen), ...good, ...bad, ...succession(seen)].join(', '), isBad: bad.length > 0 }
}

function isFailure(answer: string): boolean {
  return answer.startsWith('failed') || answer === 'crashed'
}

function times(seen: Seen[]): string {
  const counts = seen.map(({ compiles }) => compiles)
  const most = Math.max(...counts)
  if (most === 0) return 'not compiled'
  return most === 1 ? 'once' : most === Math.min(...counts) ? `${most} times` : `up to ${most} times`
}

/** Only where the first does not come back by itself: how soon the second is served. */
function succession(seen: Seen[]): string[] {
  const [{ fault } = { fault: undefined }] = seen
  if (fault !== 'killed' && fault !== 'stopped') return []
  if (fault === 'stopped' && seen.every(({ passedBy }) => !passedBy)) return ['waits for it']
  if (seen.some(({ succeededMs }) => succeededMs === null)) return []
  if (seen.every(({ waited }) => !waited)) return ['at once']
  return [`after ${Math.round(Math.max(...seen.map(({ succeededMs }) => succeededMs ?? 0)) / 1000)} s`]
}
