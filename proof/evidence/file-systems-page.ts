/** docs/file-systems.md: file system × promise. */
import { join } from 'node:path'
import { GROUND_NAMES, type GroundName } from '../file-systems/grounds.js'
import { PROMISED, type Result } from '../file-systems/promises.js'
import { conditions, table } from './markdown.js'
import { type Evidence, type OnFileSystem, REPOSITORY } from './results.js'

export const FILE_SYSTEMS_PAGE = join(REPOSITORY, 'docs/file-systems.md')

export function fileSystemsPage({ fileSystems, untried }: Evidence): string {
  const tried = GROUND_NAMES.flatMap((name): [GroundName, OnFileSystem][] => {
    const found = fileSystems[name]
    return found === undefined ? [] : [[name, found]]
  })
  const sections = [
    '# File systems',
    'Made by `npm run evidence` (as root) on file systems that it mounts for this: the contract suites of the lockers (`test/contract/`), the promises of README (`test/file-systems/`) and the payloads of `writeFile` (`test/store/payloads.test.ts`), with real processes. “Two hosts”: two mounts of one directory, and every other process in a mount namespace of its own, where it finds the second mount and other gates; flock excludes nobody between the two.',
    `${conditions(tried.map(([, { machine }]) => machine))}.`,
    '## Which lock, and why',
    table(
      ['file system', 'locker', 'because'],
      tried.map(([name, { locker, reason }]) => [name, `\`${locker}\``, reason]),
    ),
    '## What holds',
    'The number of tests that passed; `–`: not for this one. Where a lock that was not chosen does not keep its contract, that is why it was not chosen.',
    table(
      ['', ...tried.map(([name]) => name)],
      PROMISED.map(({ promise }) => [promise].concat(tried.map(([, { results }]) => cell(promise, results)))),
    ),
    ...failures(tried),
    SSHFS,
    '## Not tried',
    Object.entries(untried)
      .map(([name, why]) => `- ${name}: ${why}`)
      .join('\n'),
  ]
  return `${sections.join('\n\n')}\n`
}

function cell(promise: string, results: Result[]): string {
  const result = results.find((each) => each.promise === promise)
  if (result === undefined || result.passed + result.failed.length === 0) return '–'
  const { passed, failed } = result
  return failed.length === 0 ? `✓ ${passed}` : `✗ ${failed.length} of ${passed + failed.length}`
}

function failures(tried: [GroundName, OnFileSystem][]): string[] {
  const lines = tried.flatMap(([name, { results }]) =>
    results.flatMap(({ promise, failed }) =>
      failed.length === 0
        ? []
        : [`- ${name}: ${promise}: ${failed.map(({ titles }) => `“${titles.at(-1)}”`).join('; ')}`],
    ),
  )
  return lines.length === 0 ? [] : ['What does not hold:', lines.join('\n')]
}

const SSHFS = `## sshfs

Its server has one word for nearly all that it refuses, and sshfs reports it as EPERM: cachelatch looks what stood in
the way. sshfs also remembers what it has seen for 20 s (\`dcache_timeout\`): on another host, what was published or
released may be noticed so much later. Mount it with \`-o dcache_timeout=1\` where that matters.`
