/** `cachelatch clear`: removes all entries that nobody uses. */
import { defineCommand, readCommandLine, refusePositionals } from './command.js'
import { CACHE, JSON_REPORT, QUIET } from './common-options.js'
import { openExisting } from './existing.js'
import { printRemovals, watchRemovals } from './removals.js'
import { printJson } from './render.js'

export const command = defineCommand({
  name: 'clear',
  usage: '[OPTIONS]',
  summary: 'remove all that nobody uses',
  about: `Removes all entries, snapshots and slots, however young, except those in use, and what crashes have left. Workers that
    run go on; those that start are cold.`,
  options: {
    'dry-run': { short: 'n', text: 'remove nothing, and say what would be removed if it is not in use' },
    ...QUIET,
    ...JSON_REPORT,
    ...CACHE,
  },
  report: 'GcReport',
  examples: ['cachelatch clear --dry-run'],
})

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, positionals } = line
  refusePositionals(command, positionals)
  const cache = await openExisting(values.cache)
  const dryRun = values['dry-run']
  const report = await watchRemovals(values.quiet, (watch) => cache.clear({ dryRun, ...watch }))
  await (values.json ? printJson(report) : printRemovals(report))
  return 0
}
