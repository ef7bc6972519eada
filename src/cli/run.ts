/** `cachelatch run`: an unmodified worker in a warm slot of its own. */
import { withSignals } from '../host/signals.js'
import { runWorkers } from '../launch/workers.js'
import type { WorkerEvent } from '../launch/worker-events.js'
import { messageOf } from '../core/errors.js'
import { printableLines } from '../core/printable.js'
import { defineCommand, readCommandLine, refusePositionals } from './command.js'
import {
  CACHE,
  EVENTS,
  PRESETS,
  QUIET,
  WAIT,
  cacheDirectory,
  recordEvents,
  secondsToMs,
  wholeNumber,
} from './common-options.js'
import { presetsNamed } from './presets.js'
import { parseDuration } from './quantities.js'
import { Talk } from './talk.js'
import { runToldToEnd } from './told-child.js'
import { UsageError } from './usage.js'

export const command = defineCommand({
  name: 'run',
  usage: '--preset NAME [OPTIONS] -- CMD [ARGS]',
  summary: 'run an unmodified worker in a warm slot of its own',
  about: `Leads the compile caches of CMD into a slot: a stable private directory that no other worker uses at the same
    time, filled with what earlier workers have compiled. What CMD adds is published for the next ones, while it runs
    and when it has ended. Exits with CMD's exit code; with --workers, with the first that is not 0. A trouble with the cache never keeps CMD from running.

    A variable that is set already is left alone, and named. The slot is CMD's for as long as CMD lives, also when this
    process is killed; after a bad end it is seeded anew, from what was whole before.`,
  options: {
    ...PRESETS,
    slots: { value: 'N', text: 'at most so many slots; who finds all leased gets a private directory (256)' },
    settle: {
      value: 'TIME',
      text: 'files that were still for so long are published while CMD runs; 0s: only at its end (5s)',
    },
    once: { text: 'hold replicas back until the first has published; never ranks of a distributed job' },
    ...WAIT,
    ...EVENTS,
    workers: { value: 'N', text: 'so many of them, each in a slot of its own (1)' },
    ...QUIET,
    ...CACHE,
  },
  examples: ['cachelatch run --preset vllm -- vllm serve meta-llama/Llama-3.1-8B'],
})

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, positionals, child } = line
  refusePositionals(command, positionals)
  if (child.length === 0) throw new UsageError('a command is missing: cachelatch run --preset NAME -- CMD')
  const count = wholeNumber(values.workers, '--workers', 1) ?? 1
  const options = {
    command: child,
    count,
    cache: cacheDirectory(values.cache),
    presets: await presetsNamed(values.preset),
    key: values.key,
    maxSlots: wholeNumber(values.slots, '--slots', 1),
    settleMs: parseDuration(values.settle, '--settle'),
    once: values.once,
    timeoutMs: secondsToMs(values.wait, '--wait'),
  }
  recordEvents(values.events)
  const talk = new Talk(values.quiet)
  const onEvent = (event: WorkerEvent): void => {
    if (event.type === 'worker-started') void talk.hide()
    say(event, values.quiet)
  }
  try {
    const ended = await withSignals((signals) =>
      runWorkers({ ...options, onEvent, onWait: talk.onWait }, signals, runToldToEnd),
    )
    return ended.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0
  } finally {
    await talk.hide()
  }
}

function say(event: WorkerEvent, quiet: boolean): void {
  const text = describe(event, quiet)
  if (text !== null) process.stderr.write(`cachelatch: ${printableLines(text)}\n`)
}

function describe(event: WorkerEvent, quiet: boolean): string | null {
  switch (event.type) {
    case 'variables-kept':
      return `left as set: ${event.names.join(', ')}. Caches there are not ours.`
    case 'worker-degraded':
      return event.unit === null
        ? `the cache cannot be used, going on without: ${messageOf(event.error)}`
        : `${event.unit} is not published: ${messageOf(event.error)}`
    case 'worker-seeded':
      return quiet
        ? null
        : `slot ${event.worker}: ${event.units} units of the snapshot, ${event.files} files copied.`
    default:
      return null
  }
}
