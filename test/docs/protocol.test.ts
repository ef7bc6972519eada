/** docs/protocol.md speaks of the source as it is: every function that it names is there, and every line that it quotes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const DOCS = join(import.meta.dirname, '../../../docs')
const PAGE = join(DOCS, 'protocol.md')
const text = readFileSync(PAGE, 'utf8')

/** [`placeEntry`](../src/store/publish.ts), and what is quoted of it after a colon. */
const NAMED = /\[`(\w+)`\]\((\.\.\/[^)]+\.ts)\)(?::\s+`([^`]+)`)?/g
const named = [...text.matchAll(NAMED)].map(([, name, file, quoted]) => ({
  name: name!,
  file: file!,
  quoted,
}))

const inOneLine = (code: string): string => code.replaceAll(/\s+/g, ' ')

test('there are functions that it names, and lines that it quotes', () => {
  expect(named.length).toBeGreaterThan(40)
  expect(named.filter(({ quoted }) => quoted !== undefined).length).toBeGreaterThan(25)
})

test.each(named)('$name is in $file, and what is quoted: $quoted', ({ name, file, quoted }) => {
  const source = readFileSync(join(DOCS, file), 'utf8')
  const declaration = new RegExp(`(?:function\\*? |class |const |get |async |#|^ +)${name}\\b`, 'm')
  expect(source).toMatch(declaration)
  if (quoted !== undefined) expect(inOneLine(source)).toContain(inOneLine(quoted))
})

test('every other link leads to a file of the repository', () => {
  const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path!)
  expect(links.filter((path) => !existsSync(join(DOCS, path)))).toEqual([])
})

test('its invariants have the numbers of ARCHITECTURE.md', () => {
  const architecture = readFileSync(join(DOCS, '../ARCHITECTURE.md'), 'utf8')
  const [, invariants] = /\n## Invariants\n([^]+?)\n## /.exec(architecture)!
  const numbers = (source: string, form: RegExp): number[] =>
    [...source.matchAll(form)].map(([, n]) => Number(n))
  const [proven, stated] = [numbers(text, /^### (\d+)\. /gm), numbers(invariants!, /^(\d+)\. /gm)]
  expect(proven).toEqual(proven.map((_, index) => index + 1))
  expect(proven).toEqual(stated)
})
