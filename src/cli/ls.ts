/** `cachelatch ls`: what is in the cache. */
import type { EntryReport, ListReport } from '../core/report.js'
import { keyLabel } from '../core/key.js'
import { printable } from '../core/printable.js'
import { defineCommand, readCommandLine } from './command.js'
import { CACHE, JSON_REPORT } from './common-options.js'
import { openExisting } from './existing.js'
import { count, formatAge, formatSize } from './quantities.js'
import { columns, print, printJson } from './render.js'
import { UsageError } from './usage.js'

export const command = defineCommand({
  name: 'ls',
  usage: '[TEXT] [OPTIONS]',
  summary: 'what is in the cache',
  about: `Lists the entries whose key contains TEXT: size, number of files, last use, key. Only manifests are read: 'verify'
    reads everything. The last use is accurate to an hour. With --snapshots, --json prints a SnapshotsReport.`,
  options: {
    sort: {
      value: 'ORDER',
      choices: ['used', 'size', 'age'],
      default: 'used',
      text: 'used (last use, the default), size, or age; what is first here is last in the list',
    },
    snapshots: { text: "what slots are seeded from ('run'), instead of entries" },
    quiet: { short: 'q', text: "keys only, one a line, as 'verify' takes them" },
    ...JSON_REPORT,
    ...CACHE,
  },
  report: 'ListReport',
  examples: ['cachelatch ls llama --sort size'],
})

type Order = (a: EntryReport, b: EntryReport) => number

/** The most recent, the largest, the youngest at the end, next to the prompt. */
const ORDERS: Record<'used' | 'size' | 'age', Order> = {
  used: (a, b) => a.usedAt - b.usedAt,
  size: (a, b) => a.bytes - b.bytes,
  age: (a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0),
}

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, positionals } = line
  const [text = ''] = positionals
  if (positionals.length > 1) throw new UsageError(`one text to look for, not ${positionals.length}.`)

  const cache = await openExisting(values.cache)
  if (values.snapshots) {
    const { listSnapshots } = await import('./ls-snapshots.js')
    return listSnapshots(cache, text, values.json)
  }
  const entries: EntryReport[] = []
  for await (const entry of cache.list()) if (matches(entry, text)) entries.push(entry)
  entries.sort(ORDERS[values.sort])
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  if (values.json) await printJson<ListReport>({ schema: 1, root: cache.root, entries, bytes })
  else if (values.quiet) await print(keysOf(entries))
  else await print(table(entries))
  if (!values.json && !values.quiet)
    process.stderr.write(`${count(entries.length, 'entry', 'entries')}, ${formatSize(bytes)}\n`)
  return 0
}

/** For programs as they are; what a person looks at is printable. */
function keysOf(entries: EntryReport[]): string {
  const shown = process.stdout.isTTY ? printable : (key: string): string => key
  return entries.map(({ key }) => (key === null ? '' : `${shown(key)}\n`)).join('')
}

function matches({ key, id }: EntryReport, text: string): boolean {
  return text === '' || (key ?? id).includes(text)
}

const NUMBERS = new Set([0, 1, 2])

function table(entries: EntryReport[]): string {
  const now = Date.now()
  const rows = entries.map(({ id, key, bytes, files, usedAt, reason }) => [
    formatSize(bytes),
    count(files, 'file'),
    formatAge(usedAt, now),
    (key === null ? id : keyLabel(key)) + (reason === null ? '' : `  (${reason})`),
  ])
  return columns(rows, NUMBERS)
}
