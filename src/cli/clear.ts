/** `cachelatch clear`: removes all entries that nobody uses. */
import { parseOptions } from './arguments.js'
import { openExisting } from './existing.js'
import { printRemovals } from './removals.js'
import { printJson } from './render.js'
import { UsageError } from './usage.js'

const HELP = `Usage: cachelatch clear [OPTIONS]

Removes all entries, however young, except those in use, and what crashes have left.

  -n, --dry-run  remove nothing, and say what would be removed if it is not in use
  --json         one JSON object on one line, as 'gc' prints it
  --cache DIR    the cache (CACHELATCH_DIR, else ~/.cache/cachelatch)

  cachelatch clear --dry-run`

export async function run(args: string[]): Promise<number> {
  const parsed = await parseOptions(args, HELP, {
    'dry-run': { type: 'boolean', short: 'n', default: false },
    json: { type: 'boolean', default: false },
    cache: { type: 'string' },
  })
  if (parsed === null) return 0
  const { values, positionals } = parsed
  if (positionals.length > 0) throw new UsageError(`clear takes options only, not '${positionals[0]}'.`)
  const report = await (await openExisting(values.cache)).clear({ dryRun: values['dry-run'] })
  await (values.json ? printJson(report) : printRemovals(report))
  return 0
}
