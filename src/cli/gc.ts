/** `cachelatch gc`: makes room. */
import type { GcReport } from '../core/report.js'
import type { Cache } from '../latch/cache.js'
import { parseOptions } from './arguments.js'
import { openExisting } from './existing.js'
import { printRemovals } from './removals.js'
import { parseDuration, parseSize } from './quantities.js'
import { printJson } from './render.js'
import { UsageError } from './usage.js'

const HELP = `Usage: cachelatch gc [OPTIONS]

Removes what crashes have left; with --max-age, entries that were not used for so long; with --max-size, the least
recently used until the cache is no larger. Never what is in use, nor what was used or made within --grace.

  --max-size SIZE  50GB, 800MB, 1.5TB: units are powers of 1024, and the entries' files are counted
  --max-age TIME   14d, 12h, 30m: since the last use, which is noted at most once an hour
  --grace TIME     what is younger stays (1m)
  --watch TIME     on a network file system, how long to look for signs of life of what a crash may have left (30s)
  -n, --dry-run    remove nothing, and say what would be removed if it is not in use
  --json           one JSON object on one line: { schema, dryRun, removed, freedBytes, inUse, entries, bytes, leftovers }
  --cache DIR      the cache (CACHELATCH_DIR, else ~/.cache/cachelatch)

  cachelatch gc --max-size 50GB --max-age 14d --dry-run`

const WATCH_MS = 30_000

export async function run(args: string[]): Promise<number> {
  const parsed = await parseOptions(args, HELP, {
    'max-size': { type: 'string' },
    'max-age': { type: 'string' },
    grace: { type: 'string' },
    watch: { type: 'string' },
    'dry-run': { type: 'boolean', short: 'n', default: false },
    json: { type: 'boolean', default: false },
    cache: { type: 'string' },
  })
  if (parsed === null) return 0
  const { values, positionals } = parsed
  if (positionals.length > 0) throw new UsageError(`gc takes options only, not '${positionals[0]}'.`)
  const watchMs = parseDuration(values.watch, '--watch')
  const options = {
    maxBytes: parseSize(values['max-size'], '--max-size'),
    maxAgeMs: parseDuration(values['max-age'], '--max-age'),
    graceMs: parseDuration(values.grace, '--grace'),
    dryRun: values['dry-run'],
  }
  const cache = await openExisting(values.cache)
  const report: GcReport = await cache.gc({ ...options, watchMs: watchMs ?? (await defaultWatch(cache)) })
  await (values.json ? printJson(report) : printRemovals(report))
  return 0
}

/** There, nothing is known to be dead at once, and what nobody looks for stays: pins, and so their entries. */
async function defaultWatch(cache: Cache): Promise<number> {
  return (await cache.locker()).kind === 'lockfile' ? WATCH_MS : 0
}
