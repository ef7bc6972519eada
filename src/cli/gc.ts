/** `cachelatch gc`: makes room. */
import type { GcReport } from '../core/report.js'
import type { Cache } from '../latch/cache.js'
import { defineCommand, readCommandLine, refusePositionals } from './command.js'
import { CACHE, JSON_REPORT, QUIET } from './common-options.js'
import { openExisting } from './existing.js'
import { printRemovals, watchRemovals } from './removals.js'
import { parseDuration, parseSize } from './quantities.js'
import { printJson } from './render.js'

export const command = defineCommand({
  name: 'gc',
  usage: '[OPTIONS]',
  summary: 'make room: by size, and by age since last use',
  about: `Removes what crashes have left, and units of snapshots that a newer generation has superseded; with --max-age, what
    was not used for so long; with --max-size, the least recently used until the cache is no larger. That is entries,
    units of snapshots, and slots that no worker has. Never what is in use, nor what was used or made within --grace.

    A unit of a snapshot was used last when a worker of its presets was running. A slot is only a working copy of the
    snapshot: it goes before it, and the next worker is seeded anew. On a network file system, the slots of a host are
    removed by gc on that host.`,
  options: {
    'max-size': {
      value: 'SIZE',
      text: '50GB, 800MB, 1.5TB: units are powers of 1024, and files of entries, snapshots and slots are counted',
    },
    'max-age': {
      value: 'TIME',
      text: '14d, 12h, 30m: since the last use, accurate to an hour',
    },
    grace: { value: 'TIME', text: 'what is younger stays (1m)' },
    watch: {
      value: 'TIME',
      text: 'on a network file system, how long to look for signs of life of what a crash may have left (30s)',
    },
    'dry-run': { short: 'n', text: 'remove nothing, and say what would be removed if it is not in use' },
    ...QUIET,
    ...JSON_REPORT,
    ...CACHE,
  },
  report: 'GcReport',
  examples: ['cachelatch gc --max-size 50GB --max-age 14d --dry-run'],
})

const WATCH_MS = 30_000

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, positionals } = line
  refusePositionals(command, positionals)
  const watchMs = parseDuration(values.watch, '--watch')
  const options = {
    maxBytes: parseSize(values['max-size'], '--max-size'),
    maxAgeMs: parseDuration(values['max-age'], '--max-age'),
    graceMs: parseDuration(values.grace, '--grace'),
    dryRun: values['dry-run'],
  }
  const cache = await openExisting(values.cache)
  const limits = { ...options, watchMs: watchMs ?? (await defaultWatch(cache)) }
  const report: GcReport = await watchRemovals(values.quiet, (watch) => cache.gc({ ...limits, ...watch }))
  await (values.json ? printJson(report) : printRemovals(report))
  return 0
}

/** There, nothing is known to be dead at once, and what nobody looks for stays: pins, and so their entries. */
async function defaultWatch(cache: Cache): Promise<number> {
  return (await cache.locker()).kind === 'lockfile' ? WATCH_MS : 0
}
