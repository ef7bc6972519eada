/** docs/presets.md, made of the presets themselves. A test compares the two. */
import { join } from 'node:path'
import { PRESETS } from '../src/launch/presets/index.js'
import type { Preset } from '../src/launch/preset.js'

/** From `.build/docs`. */
export const PRESETS_PAGE = join(import.meta.dirname, '../../docs/presets.md')

export function presetsPage(): string {
  const sections = [
    '# Presets',
    'What `cachelatch run --preset NAME` knows of each family of compile caches. Made by `npm run docs` from `src/launch/presets/`, where the source of each fact stands beside it.',
    'A variable that is set already is left alone. Paths are below the slot, a stable directory that belongs to one worker at a time; `*` stands for any part of a name, `**` for any number of names. A **unit** is published whole, and never mixed from two workers; a file that no unit names is one by itself.',
    ...PRESETS.map(section),
    OWN,
  ]
  return `${sections.join('\n\n')}\n`
}

function section(preset: Preset): string {
  const { name, about, variables, includes = [], units, temporary = [], bound = [], absolute = [] } = preset
  const settings = Object.entries(variables).map(([variable, meaning]) =>
    meaning.startsWith('=') ? `\`${variable}${meaning}\`` : `\`${variable}\` → \`${meaning}\``,
  )
  const lists: [string, readonly string[]][] = [
    ['Sets', settings],
    ['Includes', includes.map((each) => `[${each}](#${each})`)],
    ['Units', units.map(code)],
    ['Temporary, never published', temporary.map(code)],
    ['Of use in its slot only, never published', bound.map(code)],
    ['Files in which paths are rewritten', absolute.map(code)],
  ]
  const lines = listsOf(lists)
  return `## ${name}\n\n${about}. Checked with ${preset.checked}.\n\n${lines}`
}

function listsOf(lists: [string, readonly string[]][]): string {
  return lists
    .filter(([, items]) => items.length > 0)
    .map(([title, items]) => `- ${title}: ${items.join(', ')}`)
    .join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}

const OWN = `## One of your own

A JSON file of the same form, given by its path: \`cachelatch run --preset ./my-compiler.json -- …\`. Every path begins
with the preset's name. \`includes\`, \`temporary\`, \`bound\` and \`absolute\` may be left out.

\`\`\`json
{
  "name": "my-compiler",
  "variables": { "MY_COMPILER_CACHE": "my-compiler", "MY_COMPILER_QUIET": "=1" },
  "units": ["my-compiler/*"],
  "temporary": ["my-compiler/**/*.tmp"],
  "absolute": ["my-compiler/*/index.json"]
}
\`\`\``
