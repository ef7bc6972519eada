/** `cachelatch dir`: where the cache is. */
import { parseOptions } from './arguments.js'
import { openExisting } from './existing.js'
import { print } from './render.js'

const HELP = `Usage: cachelatch dir [OPTIONS]

Prints the cache directory; exits with 66 when there is no cache in it.

  --cache DIR  the cache (CACHELATCH_DIR, else ~/.cache/cachelatch)

  du -sh "$(cachelatch dir)"`

export async function run(args: string[]): Promise<number> {
  const parsed = await parseOptions(args, HELP, { cache: { type: 'string' } })
  if (parsed === null) return 0
  await print(`${(await openExisting(parsed.values.cache)).root}\n`)
  return 0
}
