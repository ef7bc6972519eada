/** `cachelatch doctor`: what is so about a cache's directory, tried and not guessed. */
import { resolve } from 'node:path'
import type { DoctorReport, Finding, FindingLevel, FindingSection, Setting } from '../core/report.js'
import { ANSWER, WAIT, examine } from '../doctor/examine.js'
import { defineCommand, readCommandLine, refusePositionals } from './command.js'
import { CACHE, JSON_REPORT, cacheDirectory } from './common-options.js'
import { print, printJson } from './render.js'

export const command = defineCommand({
  name: 'doctor',
  usage: '[OPTIONS]',
  summary: 'try what the file system and its locks really do, and say what to do about it',
  about: `Looks at the file system, its mount options and its room, tries every call that a cache is made of, takes every
    kind of lock in two processes, and looks at permissions, clock, leftovers and settings. All of it is done in one
    probing directory, which is gone afterwards; no cache is made. A call that hangs is given up.

    With --second, the same directory is looked at through another mount as well, and what two processes do to each
    other is measured between the two: whether locks exclude, who is first, and how soon one sees what the other did.

    Between two hosts or containers, '--second wait' in one waits ten minutes for '--second answer' in the other. Each is
    given the directory as it is seen there (--cache), and both report what came out.`,
  options: {
    second: {
      value: 'PATH',
      text: "the same directory through another mount; 'wait' and 'answer': see above",
    },
    ...JSON_REPORT,
    ...CACHE,
  },
  exits: { 1: 'there is a problem (a warning is none)' },
  report: 'DoctorReport',
  examples: ['cachelatch doctor', 'cachelatch doctor --cache /mnt/a/cache --second /mnt/b/cache'],
})

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  refusePositionals(command, line.positionals)
  const { cache, second, json } = line.values
  const other = second === undefined || MEETING.has(second) ? second : resolve(second)
  const report = await examine(cacheDirectory(cache), { flag: cache, second: other, onReady: askForAnswer })
  await (json ? printJson(report) : print(describe(report)))
  return report.findings.some(({ level }) => level === 'problem') ? 1 : 0
}

const MEETING = new Set([WAIT, ANSWER])

function askForAnswer(): void {
  process.stderr.write(
    'Waiting. On the other host, run this with the directory as it is seen there: cachelatch doctor --second answer --cache DIR\n',
  )
}

const MARKS: Record<FindingLevel, string> = { ok: '✓', note: '·', warning: '!', problem: '✗' }

const SECTIONS: Record<FindingSection, string> = {
  place: 'Place',
  calls: 'Calls, each tried',
  locks: 'Locks, between two processes',
  second: 'Through the second path',
  cache: 'Cache',
  machine: 'Machine',
  settings: 'Settings',
}

function describe({ root, findings, settings, verdict }: DoctorReport): string {
  const lines = [root]
  for (const [section, title] of Object.entries(SECTIONS)) {
    const own = findings.filter((finding) => finding.section === section).flatMap(linesOf)
    if (section === 'settings') own.unshift(...settings.map(settingLine))
    if (own.length > 0) lines.push('', title, ...own)
  }
  return [...lines, '', verdict].map((line) => `${line}\n`).join('')
}

function linesOf({ level, title, detail, advice }: Finding): string[] {
  const line = `  ${MARKS[level]} ${title}: ${detail}`
  const hurts = level === 'warning' || level === 'problem'
  return hurts && advice !== null ? [line, `      ${advice}`] : [line]
}

function settingLine({ name, value, origin }: Setting): string {
  return value === null ? `  ${MARKS.ok} ${name}: not set` : `  ${MARKS.ok} ${name}: ${value} (${origin})`
}
