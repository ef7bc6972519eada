/** What the injector has to see, and what faults.ts leaves out because it is the same. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { NAMES } from '../support/node-fs.js'

const SRC = join(import.meta.dirname, '../../../src')
/** What doctor tries is told as it is, and is no operation of a cache. */
const DOCTOR = /^doctor\/|^host\/primitives/
const sources = (readdirSync(SRC, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts') && !DOCTOR.test(name))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }))

/** Node's calls, by the ways in which src/host/ makes them: `inPool('unlink', …)`, `fs.openSync`, an import by name. */
function callsIn(text: string): string[] {
  const inPool = [...text.matchAll(/\b(?:call|pooled|inPool)\('(\w+)'/g)].map(([, name]) => name!)
  const ofModule = [...text.matchAll(/\bfs\.(\w+)Sync\b/g)].map(([, name]) => name!)
  const byName = [...text.matchAll(/import \{([^}]+)\} from 'node:fs(?:\/promises)?'/g)].flatMap(
    ([, names]) => names!.split(',').map((name) => name.trim().replace(/(?:Sync)?(?: as \w+)?$/, '')),
  )
  return [...inPool, ...ofModule, ...byName].filter((name) => name !== '' && name !== 'constants')
}

/** A stream is made of the others; whole files are read in /proc only, and in the package. */
const OTHERWISE = ['createReadStream', 'readFile']

test('every call to a disk that the library makes can be made to fail', () => {
  const made = new Set(sources.flatMap(({ text }) => callsIn(text)))
  expect(made.has('lutimes') && made.has('rename') && made.has('statfs')).toBe(true)
  expect([...made].filter((name) => !NAMES.includes(name)).sort()).toEqual(OTHERWISE)
})

test('no code but a network lock that is taken tells EBUSY or EINTR from any other error', () => {
  const naming = sources.filter(({ text }) => /'EBUSY'|'EINTR'/.test(text))
  expect(naming.map(({ name }) => name)).toEqual(['lock/held-directory.ts'])
  expect(naming[0]!.text.match(/'EBUSY'/g)).toHaveLength(1)
})
