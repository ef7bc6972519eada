/** `cachelatch verify`: reads every byte. */
import { type Key, canonicalKey, keyLabel } from '../core/key.js'
import { printable } from '../core/printable.js'
import type { DamageReport, VerifyReport } from '../core/report.js'
import type { Cache } from '../latch/cache.js'
import type { VerifyProgress } from '../latch/verify.js'
import { defineCommand, readCommandLine } from './command.js'
import { CACHE, JSON_REPORT, QUIET } from './common-options.js'
import { openExisting } from './existing.js'
import { describeBytes, startProgress } from './progress.js'
import { count, formatSize } from './quantities.js'
import { countKinds, nameOfKept } from './kept.js'
import { print, printJson } from './render.js'

export const command = defineCommand({
  name: 'verify',
  usage: '[KEY…] [OPTIONS]',
  summary: 'read every byte, and set aside what is damaged',
  about: `Reads every file of every entry and of every unit of the snapshots, or of the entries of KEY…, and compares it with
    the manifest: bytes, sizes, modes, links, what is missing, what is too much. KEY is a text, or JSON as 'ls -q' prints it.`,
  options: {
    quarantine: {
      text: 'set what is damaged aside: the next that asks compiles it anew, and slots are seeded without',
    },
    ...QUIET,
    ...JSON_REPORT,
    ...CACHE,
  },
  exits: { 1: 'something is wrong' },
  report: 'VerifyReport',
  examples: ['cachelatch verify --quarantine'],
})

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, positionals } = line
  const cache = await openExisting(values.cache)
  const keys = positionals.length === 0 ? undefined : await keysFrom(cache, positionals)
  const report = await watched(values.quiet, (onProgress) =>
    cache.verify({ keys, quarantine: values.quarantine, onProgress }),
  )
  await (values.json ? printJson(report) : print(describe(report)))
  return report.damaged.length + report.strangers.length + report.absent.length === 0 ? 0 : 1
}

async function watched(
  quiet: boolean,
  work: (onProgress: (state: VerifyProgress) => void) => Promise<VerifyReport>,
): Promise<VerifyReport> {
  const progress = await startProgress(quiet)
  const describe = ({ checked, damaged, bytes, totalBytes }: VerifyProgress): string =>
    `cachelatch: ${describeBytes(bytes, totalBytes)} read, ${count(checked, 'entry', 'entries')} checked, ${damaged} damaged`
  try {
    return await work((state) => progress.show(() => describe(state)))
  } finally {
    progress.hide()
  }
}

/** A text may be a key itself or the JSON of one: `1` is the number where there is such an entry, else the text. */
async function keysFrom(cache: Cache, texts: string[]): Promise<Key[]> {
  const readings = texts.map((text) => [...parsed(text), text])
  const wanted = new Set(readings.flat().map(canonicalKey))
  const there = new Set<string>()
  for await (const { key } of cache.list()) if (key !== null && wanted.has(key)) there.add(key)
  return readings.map((keys) => keys.find((key) => there.has(canonicalKey(key))) ?? keys[0]!)
}

function parsed(text: string): Key[] {
  try {
    return [JSON.parse(text) as Key]
  } catch {
    return []
  }
}

function describe({ checked, units, bytes, damaged, strangers, absent }: VerifyReport): string {
  const lines = damaged.flatMap(({ problems, quarantined, ...what }) => [
    `${nameOf(what)}${quarantined ? '  (set aside)' : ''}`,
    ...problems.map(({ kind, message }) => `  ${kind}: ${message}`),
  ])
  for (const path of strangers)
    lines.push(path, '  extra: it was not put there by cachelatch, and is left alone')
  for (const key of absent) lines.push(keyLabel(key), '  missing: there is no entry of this key')
  const all = countKinds({ entries: checked - units, units })
  const verdict = `${damaged.length} of ${all} damaged, ${formatSize(bytes)} read.`
  return [...lines, verdict].map((line) => `${printable(line)}\n`).join('')
}

function nameOf({ kind, key, ...what }: Omit<DamageReport, 'problems' | 'quarantined'>): string {
  return nameOfKept({ kind, key: key && keyLabel(key), ...what })
}
