/** `cachelatch exec`: a lock around a command, with flock(1)'s habits. */
import { join, resolve } from 'node:path'
import { isLatchError } from '../core/errors.js'
import { EndedBySignal, withSignals } from '../host/signals.js'
import { withLock } from '../latch/write.js'
import { defineCommand, readCommandLine } from './command.js'
import { CACHE, EVENTS, QUIET, WAIT, cacheDirectory, recordEvents, secondsToMs } from './common-options.js'
import { Talk } from './talk.js'
import { runTold } from './told-child.js'
import { EXIT, UsageError } from './usage.js'

export const command = defineCommand({
  name: 'exec',
  usage: 'NAME|PATH [OPTIONS] -- CMD [ARGS]',
  summary: 'hold a lock while CMD runs, as flock(1) does',
  about: `Runs CMD while holding the lock of PATH, or of NAME, which has no slash, in the cache directory. Exits with CMD's
    exit code. On a local file system the lock lives as long as CMD does, also when this process is killed, and
    it is flock(2) on a file: flock(1) on the same file takes part.

    SIGINT, SIGQUIT, SIGTERM and SIGHUP reach CMD; before it runs, they end the wait.`,
  options: {
    shared: {
      short: 's',
      text: 'share the lock with others who do, such as readers among whom nobody writes (local file systems only)',
    },
    exclusive: { short: 'x', text: 'hold the lock alone (the default)' },
    ...WAIT,
    ...EVENTS,
    nonblock: { short: 'n', text: 'do not wait' },
    'conflict-exit-code': {
      short: 'E',
      value: 'N',
      text: `exit code when the lock could not be had in time (${EXIT.busy})`,
    },
    ...QUIET,
    ...CACHE,
  },
  examples: [
    'cachelatch exec /cache/llama --wait 600 -- ./refresh.sh',
    'cachelatch exec --shared /cache/llama -- ./serve.sh',
  ],
})

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, positionals, child } = line
  const [name] = positionals
  if (name === undefined || positionals.length > 1 || child.length === 0) {
    throw new UsageError('one name and a command are needed: cachelatch exec NAME -- CMD')
  }
  if (values.shared && values.exclusive) throw new UsageError('a lock is either shared or exclusive.')
  const conflict = exitCodeFrom(values['conflict-exit-code'])
  const path = name.includes('/') ? resolve(name) : join(cacheDirectory(values.cache), name)
  const timeoutMs = values.nonblock ? 0 : secondsToMs(values.wait, '--wait')
  recordEvents(values.events)
  const { shared, quiet } = values
  const talk = new Talk(quiet)
  try {
    return await withSignals((signals) =>
      withLock(
        path,
        async (lease) => {
          await talk.hide()
          return runTold(child, { keepOpen: lease.handOn(), signals })
        },
        { timeoutMs, shared, signal: signals.signal, onWait: talk.onWait },
      ),
    )
  } catch (error) {
    if (error instanceof EndedBySignal) return error.exitCode
    if (conflict !== undefined && isLatchError(error, 'WAIT_TIMEOUT')) return conflict
    throw error
  } finally {
    await talk.hide()
  }
}

function exitCodeFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const code = Number(text)
  if (!Number.isInteger(code) || code < 0 || code > 255)
    throw new UsageError(`-E takes 0 to 255, not '${text}'.`)
  return code
}
