/** What a shell may offer on a command line of ours, read from the descriptions of the commands. */
import type { Command, Option } from '../command.js'
import { withHelp } from '../help.js'

/** What stands in a place: the name of a directory, of any file, what only the person knows, or one of some plain words. */
export type Place = 'directory' | 'file' | 'free' | readonly string[]

export interface OfferedOption {
  /** `-w` and `--wait`, or `--wait` alone. */
  names: string[]
  /** What follows it, and what people call that; `null` after a switch. */
  value: { name: string; place: Place } | null
  repeats: boolean
  text: string
}

export interface Offer {
  name: string
  summary: string
  options: OfferedOption[]
  /** What stands on its line and belongs to no option; `null` where nothing does. */
  operand: { name: string; place: Place } | null
  /** After `--` comes a command to run, with arguments of its own. */
  runsCommand: boolean
}

/** Before any command. */
export const GLOBAL_OPTIONS = { '--help': 'all commands', '--version': 'the version' } as const

export function offersOf(commands: Command[]): Offer[] {
  const names = commands.map(({ name }) => name)
  const help: Offer = {
    name: 'help',
    summary: 'tell more about a command',
    options: [],
    operand: { name: 'COMMAND', place: names },
    runsCommand: false,
  }
  return [...commands.map(offerOf), help]
}

/** The commands that run another, as words. */
export function runnersIn(offers: Offer[]): string {
  return offers
    .filter(({ runsCommand }) => runsCommand)
    .map(({ name }) => name)
    .join(' ')
}

function offerOf(command: Command): Offer {
  const { name, summary, usage } = command
  const options = Object.entries(withHelp(command)).map(([long, option]) => optionOf(long, option))
  return { name, summary, options, operand: operandOf(usage), runsCommand: / -- CMD\b/.test(` ${usage}`) }
}

function optionOf(long: string, { short, value, choices, multiple = false, text }: Option): OfferedOption {
  return {
    names: short === undefined ? [`--${long}`] : [`-${short}`, `--${long}`],
    value: value === undefined ? null : { name: value, place: choices ?? placeOf(value) },
    repeats: multiple,
    // Written over several lines where it is long.
    text: text.replaceAll(/\s+/g, ' '),
  }
}

/** The usage begins with it, as in `NAME|PATH [OPTIONS]`, `[KEY…]` and `bash|zsh|fish`. */
function operandOf(usage: string): Offer['operand'] {
  const name = /^\[?([\w|]+)…?\]?(?= |$)/.exec(usage)?.[1]
  return name === undefined || name === 'OPTIONS' ? null : { name, place: placeOf(name) }
}

function placeOf(name: string): Place {
  const alternatives = name.split('|')
  const words = alternatives.filter((word) => word === word.toLowerCase())
  if (words.length > 0) return words
  if (alternatives.includes('DIR')) return 'directory'
  return alternatives.includes('FILE') || alternatives.includes('PATH') ? 'file' : 'free'
}
