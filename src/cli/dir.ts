/** `cachelatch dir`: where the cache is. */
import { defineCommand, readCommandLine, refusePositionals } from './command.js'
import { CACHE } from './common-options.js'
import { openExisting } from './existing.js'
import { print } from './render.js'

export const command = defineCommand({
  name: 'dir',
  usage: '[OPTIONS]',
  summary: 'print the cache directory',
  about: 'Prints the cache directory, where there is a cache.',
  options: {
    ...CACHE,
  },
  examples: ['du -sh "$(cachelatch dir)"'],
})

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  refusePositionals(command, line.positionals)
  await print(`${(await openExisting(line.values.cache)).root}\n`)
  return 0
}
