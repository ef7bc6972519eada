/** The pages, and README's share between its markers, as prettier has them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { EVIDENCE_PAGE, evidencePage, summary } from './faults-page.js'
import { FILE_SYSTEMS_PAGE, fileSystemsPage } from './file-systems-page.js'
import { type Evidence, REPOSITORY } from './results.js'

const README = join(REPOSITORY, 'README.md')
const MARKED = /(<!-- evidence -->\n)[^]*?(<!-- \/evidence -->)/

/** What each file should contain. README is left as it is where it has no markers. */
export async function pages(evidence: Evidence): Promise<Record<string, string>> {
  const made = {
    [FILE_SYSTEMS_PAGE]: fileSystemsPage(evidence),
    [EVIDENCE_PAGE]: evidencePage(evidence),
    [README]: readFileSync(README, 'utf8').replace(
      MARKED,
      (_all, begin: string, end: string) => `${begin}\n${summary(evidence)}\n\n${end}`,
    ),
  }
  const formatted = Object.entries(made).map(async ([file, text]) => [
    file,
    await format(text, { ...(await resolveConfig(file)), parser: 'markdown' }),
  ])
  return Object.fromEntries(await Promise.all(formatted)) as Record<string, string>
}

export async function writePages(evidence: Evidence): Promise<void> {
  for (const [file, text] of Object.entries(await pages(evidence))) writeFileSync(file, text)
}
