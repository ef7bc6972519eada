/** --help: what a command is, as a page for the terminal. */
import type { Command, Option, Options } from './command.js'

const WIDTH = 118
const HELP_OPTION: Option = { short: 'h', text: 'this page' }

/** The page of one command. */
export function helpOf(command: Command): string {
  const { name, usage, about, exits = {}, examples } = command
  const codes = Object.entries(exits).map(([code, text]): [string, string] => [code, text])
  const parts = [
    `Usage: cachelatch ${name} ${usage}`,
    ...about.split('\n\n').map((paragraph) => wrap(paragraph, WIDTH).join('\n')),
    `Options:\n${list(optionsOf(command))}`,
    ...(codes.length > 0 ? [`Exit codes:\n${list(codes)}`] : []),
    `${examples.length === 1 ? 'Example' : 'Examples'}:\n${examples.map((line) => `  ${line}\n`).join('')}`,
  ]
  return `${parts.join('\n\n').trimEnd()}\n`
}

/** All that the parser takes, --help among them. */
export function withHelp({ options }: Command): Options {
  return { ...options, help: HELP_OPTION }
}

/** `-w, --wait SECONDS`, and what it does. */
export function optionsOf(command: Command): [string, string][] {
  return Object.entries(withHelp(command)).map(([name, { short, value, text }]) => [
    `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    text.replaceAll(/\s+/g, ' '),
  ])
}

/** Terms in one column, what they mean in another. */
export function list(items: [string, string][]): string {
  const width = Math.max(...items.map(([term]) => term.length))
  return items
    .map(([term, text]) => {
      const lines = wrap(text, WIDTH - width - 4)
      return `  ${term.padEnd(width)}  ${lines.join(`\n${' '.repeat(width + 4)}`)}`
    })
    .join('\n')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return [...lines, line]
}
