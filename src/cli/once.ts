/** `cachelatch once`: compile once, from any language. */
import type { Key } from '../core/key.js'
import { openCache } from '../latch/cache.js'
import { defineCommand, readCommandLine } from './command.js'
import { CACHE, EVENTS, WAIT, cacheDirectory, recordEvents, secondsToMs } from './common-options.js'
import { runTold } from './told-child.js'
import { UsageError } from './usage.js'

export const command = defineCommand({
  name: 'once',
  usage: '--key KEY [OPTIONS] -- CMD [ARGS]',
  summary: 'compile once: CMD fills $CACHELATCH_STAGE; prints the path of the entry',
  about: `Prints the path of the entry of KEY, a directory that never changes. Where there is none, CMD builds it: it fills
    the directory $CACHELATCH_STAGE ({stage} in its arguments). Of all that ask at once one runs CMD, and the others
    wait. CMD's stdout goes to stderr. When CMD fails nothing is published, and its exit code is ours.`,
  options: {
    key: {
      value: 'KEY',
      multiple: true,
      text: 'the key; --key NAME=VALUE, repeated, for one of several parts, whose order does not matter',
    },
    ...WAIT,
    ...EVENTS,
    strict: { text: 'fail, instead of compiling privately, when the cache cannot be used' },
    ...CACHE,
  },
  examples: ['dir=$(cachelatch once --key model=llama --key dtype=bf16 -- ./compile.sh)'],
})

/** CMD ended badly: its exit code is ours, and nothing needs to be said. */
class CommandFailed extends Error {
  constructor(readonly exitCode: number) {
    super(`the command ended with exit code ${exitCode}`)
  }
}

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, child } = line
  const key = keyFrom(values.key)
  if (child.length === 0) throw new UsageError('a command is missing: cachelatch once --key KEY -- CMD')
  recordEvents(values.events)
  const cache = await openCache(cacheDirectory(values.cache), { strict: values.strict })
  try {
    const entry = await cache.getOrCompile(key, ({ dir }) => fill(child, dir), {
      timeoutMs: secondsToMs(values.wait, '--wait'),
      keepPrivate: true,
    })
    process.stdout.write(`${entry.path}\n`)
    await entry.release()
    return 0
  } catch (error) {
    if (error instanceof CommandFailed) return error.exitCode
    throw error
  }
}

async function fill(child: string[], dir: string): Promise<void> {
  const filled = child.map((argument) => argument.replaceAll('{stage}', dir))
  const exitCode = await runTold(filled, { env: { CACHELATCH_STAGE: dir }, stdout: 'stderr' })
  if (exitCode !== 0) throw new CommandFailed(exitCode)
}

/** `--key x` is the text; `--key a=1 --key b=2` an object, in which order does not matter. */
function keyFrom(parts: string[]): Key {
  const [first] = parts
  if (first === undefined) throw new UsageError('a key is missing: cachelatch once --key KEY -- CMD')
  if (parts.length === 1 && !first.includes('=')) return first
  const pairs = parts.map((part): [string, string] => {
    const at = part.indexOf('=')
    if (at === -1) throw new UsageError(`of several keys, each is NAME=VALUE, and '${part}' is not.`)
    return [part.slice(0, at), part.slice(at + 1)]
  })
  const names = new Set(pairs.map(([name]) => name))
  if (names.size < pairs.length) throw new UsageError('a key was given twice.')
  return Object.fromEntries(pairs)
}
