/** `cachelatch once`: compile once, from any language. */
import type { Key } from '../core/key.js'
import type { Entry } from '../latch/entry.js'
import { findUnpinned } from '../latch/unpinned.js'
import { defineCommand, readCommandLine } from './command.js'
import { CACHE, EVENTS, WAIT, cacheDirectory, recordEvents, secondsToMs } from './common-options.js'
import { print } from './render.js'
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

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, child } = line
  const key = keyFrom(values.key)
  if (child.length === 0) throw new UsageError('a command is missing: cachelatch once --key KEY -- CMD')
  recordEvents(values.events)
  const root = cacheDirectory(values.cache)
  const timeoutMs = secondsToMs(values.wait, '--wait')
  const hit = await findUnpinned(root, key)
  if (hit !== null) {
    await handOver(hit)
    return 0
  }
  const { compileByCommand } = await import('./compile-by-command.js')
  const entry = await compileByCommand(child, key, { root, strict: values.strict, timeoutMs })
  if ('exitCode' in entry) return entry.exitCode
  await handOver(entry)
  await entry.release()
  return 0
}

/** What the caller came for. It may use the path as soon as it can read it. */
async function handOver({ path }: Pick<Entry, 'path' | 'outcome'>): Promise<void> {
  await print(`${path}\n`)
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
