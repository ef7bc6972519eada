/** `cachelatch timeline`: who waited, compiled and loaded, and when. */
import { messageOf } from '../core/errors.js'
import type { EventRecord } from '../core/event-record.js'
import type { TimelineReport } from '../core/report.js'
import { judge } from '../core/owner.js'
import { isErrno } from '../host/disk-errors.js'
import { realHost } from '../host/host.js'
import { eventsFile } from '../host/settings.js'
import { type CommandLine, defineCommand, readCommandLine } from './command.js'
import { JSON_REPORT } from './common-options.js'
import { count, parseDuration } from './quantities.js'
import { print, printJson } from './render.js'
import { Lanes, type Picture, type Present } from './timeline/picture.js'
import { readRecords } from './timeline/read.js'
import { EXIT, UsageError } from './usage.js'

export const command = defineCommand({
  name: 'timeline',
  usage: '[FILE…] [OPTIONS]',
  summary: 'draw who waited, compiled and loaded, and when',
  about: `Draws the events in FILE (- is stdin; without, the file that CACHELATCH_EVENTS names): a bar for each worker. They
    are recorded by 'once' and 'exec' with --events FILE, and by every process, also one that uses the library, that
    has CACHELATCH_EVENTS set. A process that was killed has no end: it is marked where it was last heard of.

    Of a lock that others waited for, its holder is known to have lived until the next one had it. Several FILEs are
    drawn as one; events of several hosts by the clock of each.`,
  options: {
    since: { value: 'AGE', text: 'only what happened in the last 10m, 2h, 1d … (everything)' },
    svg: { text: 'a picture, light or dark as its reader likes it' },
    html: { text: 'a page: the picture, and a table of the workers' },
    trace: { text: 'Chrome trace events, for ui.perfetto.dev' },
    ...JSON_REPORT,
  },
  exits: { [EXIT.problems]: 'there are no events' },
  report: 'TimelineReport',
  examples: [
    'CACHELATCH_EVENTS=/tmp/events cachelatch once --key x -- sh -c \'echo 1 >"$CACHELATCH_STAGE/out"\'',
    'cachelatch timeline /tmp/events',
    'cachelatch timeline /tmp/events --svg >timeline.svg',
  ],
})

type Values = CommandLine<typeof command.options>['values']

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values } = line
  const files = filesOf(line.positionals)
  if ([values.svg, values.html, values.trace, values.json].filter(Boolean).length > 1)
    throw new UsageError('one of --svg, --html, --trace and --json at a time.')
  const age = parseDuration(values.since, '--since')
  const since = age === undefined ? -Infinity : Date.now() - age
  return values.trace ? traceFiles(files, since) : drawFiles(files, since, values)
}

function filesOf(positionals: string[]): string[] {
  if (positionals.length > 0) return positionals
  const file = eventsFile()
  if (file === undefined) throw new UsageError('a file of events is missing: cachelatch timeline FILE')
  return [file]
}

async function drawFiles(files: string[], since: number, values: Values): Promise<number> {
  const lanes = new Lanes()
  const skipped = await read(files, since, lanes)
  const picture = lanes.finish(present())
  if (picture === null) return nothing(files)
  if (values.json) await printJson<TimelineReport>(await reportOf(picture, skipped))
  else await print(await drawn(picture, values))
  return 0
}

async function drawn(picture: Picture, { svg, html }: Values): Promise<string> {
  if (svg) return `${(await import('./timeline/svg.js')).svgOf(picture).text}\n`
  if (html) return (await import('./timeline/html.js')).htmlPage(picture)
  const { drawOn } = await import('./timeline/page.js')
  return drawOn(process.stdout, picture)
}

async function reportOf(picture: Picture, skippedLines: number): Promise<TimelineReport> {
  const { timelineReport } = await import('./timeline/report.js')
  return timelineReport(picture, skippedLines)
}

async function traceFiles(files: string[], since: number): Promise<number> {
  const { Trace } = await import('./timeline/trace.js')
  let text = ''
  const trace = new Trace((piece) => (text += piece))
  const lanes = new Lanes((lane, activity, to) => trace.activity(lane, activity, to))
  await read(files, since, lanes, async () => {
    const piece = text
    text = ''
    await print(piece)
  })
  const picture = lanes.finish(present())
  if (picture === null) return nothing(files)
  trace.finish(picture)
  await print(text)
  return 0
}

/** @param afterPiece runs from time to time, so that what was made of the records need not be kept. @throws UsageError */
async function read(
  files: string[],
  since: number,
  lanes: Lanes,
  afterPiece?: () => Promise<void>,
): Promise<number> {
  try {
    const take = (record: EventRecord): void => void (record.at >= since && lanes.take(record))
    const skipped = await readRecords(files, take, afterPiece)
    if (skipped > 0) process.stderr.write(`${count(skipped, 'line')} skipped that are no events.\n`)
    return skipped
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EISDIR', 'EACCES')) throw new UsageError(messageOf(error))
    throw error
  }
}

function present(): Present {
  const { processes, clock } = realHost()
  return { now: clock.wallTime(), verdict: (owner) => judge(owner, processes) }
}

function nothing(files: string[]): number {
  process.stderr.write(`There are no events in ${files.join(', ')}.\n`)
  return EXIT.problems
}
