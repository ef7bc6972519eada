/** `cachelatch exec`: a lock around a command, with flock(1)'s habits. */
import { join, resolve } from 'node:path'
import { isLatchError } from '../core/errors.js'
import { runChild } from '../host/child.js'
import { defaultCacheDirectory } from '../host/settings.js'
import { withLock } from '../latch/write.js'
import { parseOptions, secondsToMs, splitCommand } from './arguments.js'
import { EXIT, UsageError } from './usage.js'

const HELP = `Usage: cachelatch exec NAME [OPTIONS] -- CMD [ARGS]

Runs CMD while holding the lock of NAME: a path, or a plain name for a lock in the cache directory. Exits with CMD's
exit code. On a local file system the lock lives as long as CMD does, also when this process is killed.

  -w, --wait SECONDS          how long to wait for the lock (3600)
  -n, --nonblock              do not wait
  -E, --conflict-exit-code N  exit code when the lock could not be had in time (${EXIT.busy})
  --cache DIR                 where plain names are kept (CACHELATCH_DIR, else ~/.cache/cachelatch)

  cachelatch exec /cache/llama --wait 600 -- ./refresh.sh`

export async function run(args: string[]): Promise<number> {
  const { own, command } = splitCommand(args)
  const parsed = await parseOptions(own, HELP, {
    wait: { type: 'string', short: 'w' },
    nonblock: { type: 'boolean', short: 'n', default: false },
    'conflict-exit-code': { type: 'string', short: 'E' },
    cache: { type: 'string' },
  })
  if (parsed === null) return 0
  const { values, positionals } = parsed
  const [name] = positionals
  if (name === undefined || positionals.length > 1 || command.length === 0) {
    throw new UsageError('one name and a command are needed: cachelatch exec NAME -- CMD')
  }
  const conflict = exitCodeFrom(values['conflict-exit-code'])
  const path = name.includes('/')
    ? resolve(name)
    : join(resolve(values.cache ?? defaultCacheDirectory()), name)
  const timeoutMs = values.nonblock ? 0 : secondsToMs(values.wait, '--wait')
  try {
    return await withLock(path, (lease) => runChild(command, { keepOpen: lease.handOn() }), { timeoutMs })
  } catch (error) {
    if (conflict !== undefined && isLatchError(error, 'WAIT_TIMEOUT')) return conflict
    throw error
  }
}

function exitCodeFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const code = Number(text)
  if (!Number.isInteger(code) || code < 0 || code > 255)
    throw new UsageError(`-E takes 0 to 255, not '${text}'.`)
  return code
}
