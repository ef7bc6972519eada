/** What `cachelatch once` does where there is no entry yet. A file of its own: a hit does not load what it needs. */
import type { Key } from '../core/key.js'
import type { ChildEnd } from '../host/child.js'
import { EndedBySignal, type Signals, asksToEnd, withSignals } from '../host/signals.js'
import { openCache } from '../latch/cache.js'
import type { BuildStage, CompileOptions, FailureMeaning } from '../latch/compile.js'
import type { Entry } from '../latch/entry.js'
import { Talk } from './talk.js'
import { runToldToEnd } from './told-child.js'

/** CMD ended badly: its exit code is ours, and nothing needs to be said. */
class CommandFailed extends Error {
  constructor(
    readonly exitCode: number,
    readonly meaning: FailureMeaning,
  ) {
    super(`the command ended with exit code ${exitCode}`)
  }
}

export interface Settings extends Pick<CompileOptions, 'timeoutMs' | 'retryCrashed'> {
  root: string
  strict: boolean
  quiet: boolean
}

/** The entry, or the exit code of a command that failed. */
export async function compileByCommand(
  child: string[],
  key: Key,
  { root, strict, quiet, ...options }: Settings,
): Promise<Entry | { exitCode: number }> {
  const talk = new Talk(quiet)
  try {
    return await withSignals(async (signals) => {
      const cache = await openCache(root, { strict })
      const build = async (stage: BuildStage): Promise<void> => {
        await talk.hide()
        await fill(child, stage, signals)
      }
      return cache.getOrCompile(key, build, {
        ...options,
        signal: signals.signal,
        onWait: talk.onWait,
        onProgress: talk.onProgress,
        meaningOf: whatItMeans,
        keepPrivate: true,
      })
    })
  } catch (error) {
    if (error instanceof CommandFailed || error instanceof EndedBySignal) return { exitCode: error.exitCode }
    throw error
  } finally {
    await talk.hide()
  }
}

async function fill(child: string[], { dir, handOn }: BuildStage, signals: Signals): Promise<void> {
  const filled = child.map((argument) => argument.replaceAll('{stage}', dir))
  const end = await runToldToEnd(filled, {
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
