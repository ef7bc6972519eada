/** docs/safeguards.md, made from the list. */
import { join } from 'node:path'
import { PARTS, SAFEGUARDS } from './all.js'
import type { Safeguard } from './safeguard.js'
import { REPOSITORY } from '../trials/workspace.js'

export const SAFEGUARDS_PAGE = join(REPOSITORY, 'docs/safeguards.md')

export function safeguardsPage(): string {
  return `# Safeguards

Each line of the product below keeps one thing from going wrong. \`npm run safeguards\` takes them away one at a time, in
a copy, and runs the test that is named beside it: the test fails, or the run does. A run of all tests takes away a few,
chosen anew each time. The page is made from the list in [proof/safeguards/list/](../proof/safeguards/list/), and only
when all ${SAFEGUARDS.length} are missed.

${PARTS.map(({ title, safeguards }) => `## ${title}\n\n${table(safeguards)}`).join('\n\n')}
`
}

function table(safeguards: Safeguard[]): string {
  const head = ['safeguard', 'without it', 'where', 'missed by']
  return [head, head.map(() => '---'), ...safeguards.map(row)]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

function row({ name, harm, file, killedBy }: Safeguard): string[] {
  const where = `[${file}](../src/${file})`
  const tests = killedBy.map((each) => `[${each.file}](../test/${each.file}.test.ts) “${each.test}”`)
  return [name, harm, where, tests.join(', ')]
}
