/** No function, class or value is exported that nobody else names. Types are: they say what those take and give. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const FOLDERS = ['src', 'test', 'proof', 'bench', 'demo', 'docs']
const EXPORT = /^export (?:async )?(?:function\*?|const|class|abstract class) (\w+)/gm
/** What the file itself is asked for, whoever loads it: a command of the command line, an order of a worker. */
const BY_CONVENTION = new Set(['command', 'run'])

const files = FOLDERS.flatMap((folder) =>
  (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
)
const words = new Map(
  files.map((file) => [file, new Set(readFileSync(join(ROOT, file), 'utf8').match(/\w+/g) ?? [])]),
)

test('every exported name is used in another file', () => {
  const unused = files.flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(EXPORT)]
      .map(([, name]) => name!)
      .filter((name) => !BY_CONVENTION.has(name))
      .filter((name) => !files.some((other) => other !== file && words.get(other)!.has(name)))
      .map((name) => `${file}: ${name}`),
  )
  expect(unused).toEqual([])
})
