/**
 * A preset of the user's own, as JSON: the same shape as ours (preset.ts). The file decides which variables a worker is
 * started with and which files of its slot are published, so nothing is taken that the shape does not allow: no key
 * that is not known, no path or pattern outside of the preset's own directory.
 */
import { dirname } from 'node:path'
import * as v from 'valibot'
import { LatchError, messageOf } from '../core/errors.js'
import type { Host } from '../host/host.js'
import { readSmallFile } from '../host/small-file.js'
import type { Preset } from './preset.js'

/** Our largest is 3 KiB. */
const MAX_BYTES = 64 * 1024
const MAX_ITEMS = 100
const MAX_LENGTH = 200

/** `.` and `..` lead out of where they stand, an empty name is a slip. */
const PATH = /^(?!\.{0,2}(\/|$))[^/\0]+(\/(?!\.{0,2}(\/|$))[^/\0]+)*$/
/** What picomatch would read as more than preset.ts promises. */
const MORE_THAN_A_PATTERN = /[\\{}()!|+@^$]|\[(?!0-9\])|\*\*[^/]|[^/]\*\*/
/** A pattern becomes a regular expression, which with many stars can take for ever on a long name. */
const MANY_STARS = /(\*[^/]*){4}|(\*\*.*){3}/

const Text = v.pipe(
  v.string('is to be text'),
  v.minLength(1, 'is empty'),
  v.maxLength(MAX_LENGTH, `is longer than ${MAX_LENGTH} characters`),
)
const Name = v.pipe(
  Text,
  v.regex(/^[a-z][a-z0-9-]{0,39}$/, 'is to be lower case letters, digits and - (at most 40, a letter first)'),
)
const Pattern = v.pipe(
  Text,
  v.regex(PATH, 'is to be a path below the slot, without `.` and `..`'),
  v.check((pattern) => !MANY_STARS.test(pattern), 'has more than three * in a name, or two **'),
  v.check(
    (pattern) => !MORE_THAN_A_PATTERN.test(pattern),
    'may have only *, ?, [0-9] and, as a whole name, **',
  ),
)
const UnitPattern = v.pipe(
  Pattern,
  v.check((pattern) => !pattern.includes('**'), 'names as many names as it has itself: ** cannot stand here'),
)
const Variable = v.pipe(Text, v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name of a variable'))
const Meaning = v.pipe(
  Text,
  v.check((meaning) => !meaning.includes('\0'), 'contains a NUL'),
  v.check(
    (meaning) => meaning.startsWith('=') || PATH.test(meaning),
    'is to be a path below the slot, without `.` and `..`, or a value after =',
  ),
)

const PresetFile = v.pipe(
  v.strictObject({
    name: Name,
    about: v.optional(Text, 'a preset of your own'),
    variables: v.pipe(
      v.record(Variable, Meaning, 'is to be an object'),
      v.check((record) => Object.keys(record).length <= MAX_ITEMS, `has more than ${MAX_ITEMS} variables`),
    ),
    includes: v.optional(listOf(Name)),
    units: v.optional(listOf(UnitPattern)),
    temporary: v.optional(listOf(Pattern)),
    bound: v.optional(listOf(Pattern)),
    absolute: v.optional(listOf(Pattern)),
    checked: v.optional(Text, 'by its author'),
  }),
  // What is said of no unit is one: safe, whatever the program does.
  v.transform((preset) => ({ ...preset, units: preset.units ?? [preset.name] })),
)

function listOf<Item extends v.GenericSchema>(item: Item) {
  return v.pipe(v.array(item, 'is to be a list'), v.maxLength(MAX_ITEMS, `has more than ${MAX_ITEMS} items`))
}

/** @throws LatchError PRESET_INVALID, which says where in the file and why */
export async function readPreset(host: Host, path: string): Promise<Preset> {
  let text: string
  try {
    text = await readSmallFile(host.diskFor(host.inspect(dirname(path))), path, MAX_BYTES)
  } catch (error) {
    throw invalid(path, messageOf(error), error)
  }
  return parsePreset(text, path)
}

/** @param path what messages call the file */
export function parsePreset(text: string, path: string): Preset {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw invalid(path, `it is not JSON (${messageOf(error)})`, error)
  }
  const parsed = v.safeParse(PresetFile, json)
  if (!parsed.success) throw invalid(path, parsed.issues.map(inWords).join('; '))
  const preset = parsed.output as Preset
  const stray = pathsOf(preset).find((each) => each !== preset.name && !each.startsWith(`${preset.name}/`))
  if (stray !== undefined)
    throw invalid(path, `'${stray}' is not in the preset's own directory, ${preset.name}/`)
  return preset
}

function pathsOf({ variables, units, temporary = [], bound = [], absolute = [] }: Preset): string[] {
  const directories = Object.values(variables).filter((meaning) => !meaning.startsWith('='))
  return [...directories, ...units, ...temporary, ...bound, ...absolute]
}

function inWords(issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue)
  if (where === null) return 'it is not an object'
  if (issue.type !== 'strict_object') return `${where} ${issue.message}`
  return issue.expected === 'never' ? `${where} is not known` : `${where} is missing`
}

function invalid(path: string, problem: string, cause?: unknown): LatchError {
  return new LatchError('PRESET_INVALID', `${path} is no preset: ${problem}`, {
    hint: 'docs/presets.md has the form.',
    path,
    cause,
  })
}
