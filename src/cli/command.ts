/**
 * What a command is, as data: read by the parser here, by --help, by docs/cli.md and by the completion scripts, so
 * that they cannot tell different things.
 *
 * A command line is options of ours, then `--`, then the command to run, which is never looked into.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { messageOf } from '../core/errors.js'
import { UsageError } from './usage.js'

export interface Option {
  short?: string
  /** What the value is, such as `SIZE`; without, the option is a switch. */
  value?: string
  /** All values there are. */
  choices?: readonly string[]
  /** May be given more than once. */
  multiple?: boolean
  /** Of a value; for a reader, when it is no plain text, `text` tells it. */
  default?: string
  /** For a reader: what it does, and in brackets what holds without it. */
  text: string
}

export type Options = Record<string, Option>

export interface Command<O extends Options = Options> {
  name: string
  /** What follows the name, such as `[TEXT] [OPTIONS]`. */
  usage: string
  /** A line for the list of all commands. */
  summary: string
  /** Paragraphs. */
  about: string
  options: O
  /** Exit codes of its own, beyond those that all have. */
  exits?: Record<number, string>
  /** The type in core/report.ts that --json prints. */
  report?: string
  /** Command lines that work as they stand. */
  examples: string[]
}

export function defineCommand<const O extends Options>(command: Command<O>): Command<O> {
  return command
}

type TextOf<T extends Option> = T extends { choices: readonly (infer Choice)[] } ? Choice : string

type ValueOf<T extends Option> = T extends { multiple: true }
  ? TextOf<T>[]
  : T extends { value: string }
    ? T extends { default: string }
      ? TextOf<T>
      : TextOf<T> | undefined
    : boolean

export interface CommandLine<O extends Options> {
  values: { [Name in keyof O]: ValueOf<O[Name]> }
  /** Before `--`, and no options. */
  positionals: string[]
  /** What comes after `--`. */
  child: string[]
}

/** `null`: help was asked for, and has been printed. @throws UsageError */
export async function readCommandLine<O extends Options>(
  command: Command<O>,
  args: string[],
): Promise<CommandLine<O> | null> {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const { values, positionals } = parse(args.slice(0, end), command)
  if (values['help']) {
    const [{ helpOf }, { print }] = await Promise.all([import('./help.js'), import('./render.js')])
    await print(helpOf(command))
    return null
  }
  refuseUnknownChoices(command, values)
  return { values: values as CommandLine<O>['values'], positionals, child: args.slice(end + 1) }
}

function parse(args: string[], { options }: Command): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({ args, options: asConfig(options), allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(firstSentence(messageOf(error)))
  }
}

/** Node goes on with advice that is wrong here: what follows `--` is the command to run. */
function firstSentence(text: string): string {
  return text.replace(/\. To specify a positional.*$/s, '.')
}

function asConfig(options: Options): NonNullable<ParseArgsConfig['options']> {
  const config: NonNullable<ParseArgsConfig['options']> = {}
  for (const [name, { short, value, multiple = false, default: fallback }] of Object.entries(options)) {
    config[name] = {
      type: value === undefined ? 'boolean' : 'string',
      multiple,
      default: multiple ? [] : value === undefined ? false : fallback,
      ...(short !== undefined && { short }),
    }
  }
  return { ...config, help: { type: 'boolean', short: 'h' } }
}

function refuseUnknownChoices({ options }: Command, values: ReturnType<typeof parseArgs>['values']): void {
  for (const [name, { choices }] of Object.entries(options)) {
    if (choices === undefined) continue
    const wrong = [values[name] ?? []].flat().find((value) => !choices.includes(String(value)))
    if (wrong === undefined) continue
    const list = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(choices)
    throw new UsageError(`--${name} takes ${list}, not '${String(wrong)}'.`)
  }
}

/** @throws UsageError where something stands on the line that no option takes */
export function refusePositionals({ name }: Command, positionals: string[]): void {
  if (positionals.length > 0) throw new UsageError(`${name} takes options only, not '${positionals[0]}'.`)
}
