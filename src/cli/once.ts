/** `cachelatch once`: compile once, from any language. */
import type { Entry } from '../latch/entry.js'
import { findUnpinned } from '../latch/unpinned.js'
import { defineCommand, readCommandLine } from './command.js'
import { CACHE, EVENTS, QUIET, WAIT, cacheDirectory, recordEvents, secondsToMs } from './common-options.js'
import { KEY_OPTIONS, keyFrom } from './once-key.js'
import { print } from './render.js'
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
    ...EVENTS,
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

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, child } = line
  const key = await keyFrom(values)
  if (child.length === 0) throw new UsageError('a command is missing: cachelatch once --key KEY -- CMD')
  recordEvents(values.events)
  const root = cacheDirectory(values.cache)
  const timeoutMs = secondsToMs(values.wait, '--wait')
  const hit = await findUnpinned(root, key)
  if (hit !== null) {
    await handOver(hit)
    return 0
  }
  const { strict, quiet, 'retry-crashed': retryCrashed } = values
  const settings = { root, strict, quiet, timeoutMs, retryCrashed }
  const { compileByCommand } = await import('./compile-by-command.js')
  const entry = await compileByCommand(child, key, settings)
  if ('exitCode' in entry) return entry.exitCode
  await handOver(entry)
  await entry.release()
  return 0
}

/** What the caller came for. It may use the path as soon as it can read it. */
async function handOver({ path }: Pick<Entry, 'path' | 'outcome'>): Promise<void> {
  await print(`${path}\n`)
}
