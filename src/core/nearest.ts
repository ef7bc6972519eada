/** What somebody who mistyped a name has probably meant. */

/** More typing errors than this, and it is another word. */
const MAX_ERRORS = 3

/** `null`: none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  const rated = known.map((each) => ({ each, errors: distance(name, each) }))
  const best = rated.sort((a, b) => a.errors - b.errors)[0]
  return best !== undefined && best.errors <= MAX_ERRORS ? best.each : null
}

/** Levenshtein's: letters inserted, left out, or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let line = 1; line <= a.length; line++) {
    const next = [line]
    for (let column = 1; column <= b.length; column++) {
      const replaced = row[column - 1]! + (a[line - 1] === b[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
