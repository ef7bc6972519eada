/** `cachelatch env`: what a worker under `run` would find in its environment. */
import type { EnvReport } from '../core/report.js'
import { previewWorker } from '../launch/preview.js'
import { defineCommand, readCommandLine, refusePositionals } from './command.js'
import { CACHE, JSON_REPORT, PRESETS, cacheDirectory, wholeNumber } from './common-options.js'
import { presetsNamed } from './presets.js'
import { print, printJson } from './render.js'

export const command = defineCommand({
  name: 'env',
  usage: '--preset NAME [OPTIONS]',
  summary: 'print the variables that run would set',
  about: `Prints the variables of the presets, as lines for a shell, with the paths of one slot. Nothing is leased or made:
    two workers with the same output have the same directory. For a directory of its own, start a worker with 'run'.`,
  options: {
    ...PRESETS,
    slot: { value: 'N', text: 'of this slot (0)' },
    ...JSON_REPORT,
    ...CACHE,
  },
  report: 'EnvReport',
  examples: ['cachelatch env --preset vllm'],
})

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, positionals } = line
  refusePositionals(command, positionals)
  const presets = await presetsNamed(values.preset)
  const slot = wholeNumber(values.slot, '--slot', 0) ?? 0
  const { env, kept, path } = await previewWorker(
    { cache: cacheDirectory(values.cache), presets, key: values.key },
    slot,
  )
  if (values.json) await printJson<EnvReport>({ schema: 1, slot, path, set: env, kept })
  else await print(lines(env, kept))
  return 0
}

function lines(env: Record<string, string>, kept: string[]): string {
  return [
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}\n`),
    ...kept.map((name) => `# ${name} is set already, and would be left alone\n`),
  ].join('')
}

function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`
}
