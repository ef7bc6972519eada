/** docs/cli.md, made of what the command itself knows. A test compares the two. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../src/cli/command.js'
import { allCommands } from '../src/cli/commands.js'
import { optionsOf } from '../src/cli/help.js'
import { EXIT_CODES } from '../src/cli/usage.js'
import { SETTINGS } from '../src/host/settings.js'

/** From `.build/docs`. */
const REPOSITORY = join(import.meta.dirname, '../..')
export const MANUAL = join(REPOSITORY, 'docs/cli.md')
const REPORTS = ['report', 'doctor-report'].map((name) => join(REPOSITORY, `src/core/${name}.ts`))

export async function manual(): Promise<string> {
  const commands = await allCommands()
  const sections = [
    '# The command',
    'Made by `npm run docs` from the descriptions that `--help` prints; a test keeps it true.',
    commands.map(({ name, summary }) => `- [\`${name}\`](#${name}): ${summary}`).join('\n'),
    ...commands.map(describe),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      Object.entries(EXIT_CODES).map(([code, text]) => [code, text]),
    ),
    'What a command that was run ends with comes through unchanged.',
    '## Environment',
    'An option wins over a variable, a variable over the default.',
    table(
      ['variable', 'meaning'],
      Object.entries(SETTINGS).map(([name, text]) => [`\`${name}\``, text]),
    ),
    '## JSON',
    'With `--json` a command prints one object on one line. Times are milliseconds since 1970, sizes bytes. A field is never removed or changed in meaning while `schema` is 1; new ones may come.',
    `\`\`\`ts\n${shapes(commands.flatMap(({ report }) => report ?? []))}\n\`\`\``,
  ]
  return `${sections.join('\n\n')}\n`
}

function describe(command: Command): string {
  const { name, usage, about, exits, report, examples } = command
  const parts = [
    `## ${name}`,
    `\`\`\`text\ncachelatch ${name} ${usage}\n\`\`\``,
    about.replaceAll(/(?<!\n)\n +/g, ' ').replaceAll(/\n +/g, '\n'),
    table(
      ['option', 'meaning'],
      optionsOf(command).map(([option, text]) => [`\`${option}\``, text]),
    ),
  ]
  if (exits) {
    const codes = Object.entries(exits).map(([code, text]) => `${code}: ${text}`)
    parts.push(`Exit codes of its own: ${codes.join('; ')}.`)
  }
  if (report !== undefined) parts.push(`\`--json\` prints a [\`${report}\`](#json).`)
  parts.push(`\`\`\`sh\n${examples.join('\n')}\n\`\`\``)
  return parts.join('\n\n')
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** The declarations of `names` in core/report.ts, and of what they are made of. */
function shapes(names: string[]): string {
  const declarations = new Map<string, string>()
  const text = REPORTS.map((path) => readFileSync(path, 'utf8')).join('\n')
  for (const [whole, name] of text.matchAll(
    /(?:\/\*\*(?:(?!\*\/)[^])*\*\/\n)?export (?:interface (\w+)(?: extends [\w, ]+)? \{[^]*?\n\}|type \w+ = [^]*?\n(?=\n|$))/g,
  ))
    declarations.set(name ?? /type (\w+)/.exec(whole)![1]!, whole.trim())
  const wanted = new Set<string>()
  const want = (name: string): void => {
    const declaration = declarations.get(name)
    if (declaration === undefined || wanted.has(name)) return
    wanted.add(name)
    for (const [word] of declaration.matchAll(/\b[A-Z]\w+/g)) want(word)
  }
  names.forEach(want)
  return [...declarations]
    .filter(([name]) => wanted.has(name))
    .map(([, declaration]) => declaration.replaceAll('export ', ''))
    .join('\n\n')
}
