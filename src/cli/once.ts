/** `cachelatch once`: compile once, from any language. */
import type { ChildEnd } from '../host/child.js'
import { EndedBySignal, type Signals, asksToEnd, withSignals } from '../host/signals.js'
import { openCache } from '../latch/cache.js'
import type { BuildStage, FailureMeaning } from '../latch/compile.js'
import { defineCommand, readCommandLine } from './command.js'
import { CACHE, WAIT, cacheDirectory, secondsToMs } from './common-options.js'
import { runInForeground } from './foreground.js'
import { KEY_OPTIONS, keyFrom } from './once-key.js'
import { QUIET } from './progress.js'
import { Talk } from './talk.js'
import { UsageError } from './usage.js'

export const command = defineCommand({
  name: 'once',
  usage: '--key KEY [OPTIONS] -- CMD [ARGS]',
  summary: 'compile once: CMD fills $CACHELATCH_STAGE; prints the path of the entry',
  about: `Prints the path of the entry of KEY, a directory that never changes. Where there is none, CMD builds it: it fills
    the directory $CACHELATCH_STAGE ({stage} in its arguments). Of all that ask at once one runs CMD, and the others
    wait. CMD's stdout goes to stderr. When CMD fails nothing is published, its exit code is ours, and those who waited
    for it fail as well.

    SIGINT, SIGQUIT, SIGTERM and SIGHUP reach CMD, and nothing is published after that, whatever CMD's exit code is: it
    may have stopped half-way. Those who waited try themselves; also when CMD crashes (is ended by another signal), until
    that has happened three times in a row.

    When this process is killed, CMD gets SIGTERM (where setpriv(1) can see to it), and another builds at once: nobody
    could publish what CMD goes on doing, and its directory stays until it has ended.`,
  options: {
    ...KEY_OPTIONS,
    ...WAIT,
    strict: { text: 'fail, instead of compiling privately, when the cache cannot be used' },
    'retry-crashed': { text: 'run CMD although it has crashed three times in a row' },
    ...QUIET,
    ...CACHE,
  },
  examples: [
    'dir=$(cachelatch once --key model=llama --key dtype=bf16 -- ./compile.sh)',
    "cachelatch once --key-file kernels/ --key-env CFLAGS --key-cmd 'nvcc --version' -- make -C kernels OUT={stage}",
  ],
})

/** CMD ended badly: its exit code is ours, and nothing needs to be said. */
class CommandFailed extends Error {
  constructor(
    readonly exitCode: number,
    readonly meaning: FailureMeaning,
  ) {
    super(`the command ended with exit code ${exitCode}`)
  }
}

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, child } = line
  const key = await keyFrom(values)
  const timeoutMs = secondsToMs(values.wait, '--wait')
  if (child.length === 0) throw new UsageError('a command is missing: cachelatch once --key KEY -- CMD')
  const cache = await openCache(cacheDirectory(values.cache), { strict: values.strict })
  const talk = new Talk(values.quiet)
  try {
    return await withSignals(async (signals) => {
      const build = async (stage: BuildStage): Promise<void> => {
        await talk.hide()
        await fill(child, stage, signals)
      }
      const entry = await cache.getOrCompile(key, build, {
        timeoutMs,
        signal: signals.signal,
        onWait: talk.onWait,
        onProgress: talk.onProgress,
        meaningOf: whatItMeans,
        retryCrashed: values['retry-crashed'],
        keepPrivate: true,
      })
      await talk.hide()
      process.stdout.write(`${entry.path}\n`)
      await entry.release()
      return 0
    })
  } catch (error) {
    if (error instanceof CommandFailed || error instanceof EndedBySignal) return error.exitCode
    throw error
  } finally {
    await talk.hide()
  }
}

async function fill(child: string[], { dir, handOn }: BuildStage, signals: Signals): Promise<void> {
  const filled = child.map((argument) => argument.replaceAll('{stage}', dir))
  const end = await runInForeground(filled, {
    env: { CACHELATCH_STAGE: dir },
    stdout: 'stderr',
    keepOpen: handOn(),
    endsWithUs: true,
    signals,
  })
  if (end.exitCode !== 0) throw new CommandFailed(end.exitCode, meaningOf(end, signals))
  if (signals.askedToEnd) throw signals.askedToEnd
}

/** Whoever ends CMD does not say that it is broken; what ends it from within does. */
function meaningOf({ signal }: ChildEnd, { askedToEnd }: Signals): FailureMeaning {
  if (askedToEnd || (signal !== null && asksToEnd(signal))) return 'cancelled'
  return signal === null ? 'failed' : 'crashed'
}

function whatItMeans(error: unknown): FailureMeaning {
  if (error instanceof CommandFailed) return error.meaning
  return error instanceof EndedBySignal ? 'cancelled' : 'failed'
}
