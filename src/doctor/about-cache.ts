/** What is in the cache, and what crashes have left there. */
import type { Finding } from '../core/report.js'
import type { Contents } from './contents.js'
import { findingsOf } from './finding.js'

const { ok, note, warning, problem } = findingsOf('cache')

/** So many are no accident any more: workers die often, or nobody collects. */
const MANY_LEFTOVERS = 1_000

export function aboutContents(contents: Contents): Finding[] {
  const { format, entries, damaged } = contents
  if (format === null && contents.formatError === null)
    return [note('no-cache', 'cache', 'there is none here yet; the first compile creates it')]
  const findings = [ok('entries', 'entries', `${entries}`), aboutLeftovers(contents)]
  if (damaged > 0)
    findings.push(
      problem(
        'damaged',
        'damaged entries',
        `${damaged}, by their manifests alone`,
        'cachelatch verify --quarantine: they are set aside, and compiled anew by who needs them.',
      ),
    )
  return findings
}

function aboutLeftovers({ leftovers: { stages, trash, drafts }, format }: Contents): Finding {
  const count = stages + trash + drafts
  const which = `${stages} stages, ${trash} in the trash, ${drafts} drafts`
  if (count === 0) return ok('leftovers', 'leftovers', 'none')
  if (count >= MANY_LEFTOVERS)
    return warning('leftovers', 'leftovers', `${which}: workers are killed often`, "Run 'cachelatch gc'.")
  const goes = format?.locker === 'kernel' ? 'go with the next writer' : "go with 'cachelatch gc'"
  return note('leftovers', 'leftovers', `${which}; they ${goes}`)
}
