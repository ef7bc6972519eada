/** A worker: of all that start together one compiles; the others wait for it and load the same files. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { openCache } from 'cachelatch'

const [directory = '.cache/example'] = process.argv.slice(2)

// Whatever the compiled files depend on belongs into the key: a worker of another version must not find them.
const key = { program: 'polynomials', terms: 5_000, v8: process.versions.v8, cpu: process.arch }

const cache = await openCache(directory)
await using entry = await cache.getOrCompile(key, async ({ dir }) => {
  // Your compiler goes here. This one generates a program and has V8 compile it to bytecode.
  const source = generate(key.terms)
  await writeFile(join(dir, 'program.js'), source)
  await writeFile(join(dir, 'program.bytecode'), new Script(source).createCachedData())
})

const source = await readFile(join(entry.path, 'program.js'), 'utf8')
const cachedData = await readFile(join(entry.path, 'program.bytecode'))
const script = new Script(source, { cachedData })
const accepted = script.cachedDataRejected ? 'refused' : 'accepted'
console.log(
  `pid ${process.pid}: ${entry.outcome}, bytecode ${accepted}, result ${String(script.runInThisContext())}`,
)

function generate(terms: number): string {
  const functions = Array.from({ length: terms }, (_, n) => `(x) => ${n} * x * x + ${terms - n}`)
  return `[${functions.join(',\n')}].reduce((sum, f, n) => (sum + f(n)) % 1000003, 0)`
}
