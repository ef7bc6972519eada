/** `cachelatch stats`: what the cache has been good for. */
import type { Counts, KeyStats, StatsReport } from '../core/report.js'
import { defineCommand, readCommandLine, refusePositionals } from './command.js'
import { CACHE, JSON_REPORT } from './common-options.js'
import { openExisting } from './existing.js'
import { formatElapsed, formatSize, parseDuration } from './quantities.js'
import { columns, print, printJson } from './render.js'
import { readableKey } from './words.js'

export const command = defineCommand({
  name: 'stats',
  usage: '[OPTIONS]',
  summary: 'hits, compiles, waits, failures, and the time saved',
  about: `Adds up what all processes have counted in the last 90 days. Hits are written down every ten seconds and at the end
    of a process, all else at once: of a process that is killed, the last hits are missing.

    Time saved is, for each call that found its entry or waited for it, the time that building it took, less the time
    that the call took.`,
  options: {
    since: { value: 'TIME', text: 'only the last 7d, 12h, 30m (all)' },
    'by-key': { text: 'also each key by itself, most time saved last' },
    ...JSON_REPORT,
    ...CACHE,
  },
  report: 'StatsReport',
  examples: ['cachelatch stats --since 7d --by-key'],
})

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, positionals } = line
  refusePositionals(command, positionals)
  const sinceMs = parseDuration(values.since, '--since')
  const cache = await openExisting(values.cache)
  const report = await cache.stats({ sinceMs, byKey: values['by-key'] })
  await (values.json ? printJson(report) : print(describe(report)))
  return 0
}

const NUMBERS = new Set([0, 1, 2, 3, 4, 5])

function describe({ keys, ...total }: StatsReport): string {
  const perKey = keys === undefined ? '' : `${columns([HEADER, ...keys.toReversed().map(row)], NUMBERS)}\n`
  return perKey + columns(lines(total))
}

function lines(total: Counts & { hitRate: number | null }): string[][] {
  const built = `${formatElapsed(total.buildMs)} in all, ${formatSize(total.bytes)} published`
  return [
    ['hits', `${total.hits}`],
    ['waited', `${total.waited}, ${formatElapsed(total.waitedMs)} in all`],
    ['compiled', `${total.compiled}, ${built}`],
    ['private', `${total.private}`],
    ['failures', `${total.failures}`],
    ['hit rate', total.hitRate === null ? 'no calls yet' : percent(total.hitRate)],
    ['time saved', formatElapsed(total.savedMs)],
  ]
}

const HEADER = ['hits', 'waited', 'compiled', 'private', 'failures', 'saved', 'key']

function row(stats: KeyStats): string[] {
  const { hits, waited, compiled, failures, savedMs, key } = stats
  const counts = [hits, waited, compiled, stats.private, failures].map(String)
  return [...counts, formatElapsed(savedMs), readableKey(key)]
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`
}
