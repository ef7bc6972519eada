/** Reading a command line: options of ours, then `--`, then the command to run, which is never looked into. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { UsageError } from './usage.js'

type Options = NonNullable<ParseArgsConfig['options']>

export function splitCommand(args: string[]): { own: string[]; command: string[] } {
  const at = args.indexOf('--')
  return at === -1 ? { own: args, command: [] } : { own: args.slice(0, at), command: args.slice(at + 1) }
}

const HELP_OPTION = { help: { type: 'boolean', short: 'h', default: false } } as const

type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O & typeof HELP_OPTION; allowPositionals: true; strict: true }>
>

/** Every command has --help: prints `help` and resolves to `null` when it is asked for. @throws UsageError */
export async function parseOptions<O extends Options>(
  args: string[],
  help: string,
  options: O,
): Promise<Parsed<O> | null> {
  const parsed = parseStrictly(args, { ...options, ...HELP_OPTION })
  // Only this option is known here; which others there are, the caller knows.
  if (!(parsed.values as { help?: boolean }).help) return parsed
  const { print } = await import('./render.js')
  await print(`${help}\n`)
  return null
}

function parseStrictly<O extends Options>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true as const, strict: true as const })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Seconds, as flock(1) takes them, to milliseconds. */
export function secondsToMs(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (text.trim() === '' || !(seconds >= 0))
    throw new UsageError(`${option} takes a number of seconds, not '${text}'.`)
  return seconds * 1000
}
