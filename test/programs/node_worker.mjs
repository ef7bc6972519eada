// A worker whose code Node compiles: it writes MODULES modules beside nothing of ours, imports them, and says what Node's own
// compile cache did with them.
//
//     node_worker.mjs SOURCES [MODULES]     prints one line of JSON; SOURCES is the directory of the modules
//
// Settings come from Node's environment variables. Hits are counted from NODE_DEBUG_NATIVE=COMPILE_CACHE, so that must be
// set for the child that does the work: this program starts itself once more with it.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import module from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const [sources = 'sources', count = '20', part] = process.argv.slice(2)

if (part === 'work') await work()
else report()

/** Every worker finds the same modules at the same path, as the code of an application is found. */
async function work() {
  mkdirSync(sources, { recursive: true })
  const checksum = createHash('sha256')
  for (let number = 0; number < Number(count); number++) {
    const path = resolve(join(sources, `module-${number}.mjs`))
    if (!existsSync(path)) place(path, sourceOf(number))
    const { sum } = await import(pathToFileURL(path).href)
    checksum.update(`${sum(1000)}`)
  }
  console.log(
    JSON.stringify({ checksum: checksum.digest('hex'), cacheDir: module.getCompileCacheDir?.() ?? null }),
  )
}

/** In one step: another worker imports what it finds, and half a module has no `sum`. */
function place(path, source) {
  const own = `${path}.${process.pid}`
  writeFileSync(own, source)
  renameSync(own, path)
}

function sourceOf(number) {
  const steps = Array.from(
    { length: 50 },
    (_, step) => `  if (i % ${step + 2} === 0) total += ${number + step}`,
  )
  return `export function sum(n) {\n  let total = 0\n  for (let i = 0; i < n; i++) {\n${steps.join('\n')}\n  }\n  return total\n}\n`
}

function report() {
  const child = spawnSync(process.execPath, [process.argv[1], sources, count, 'work'], {
    env: { ...process.env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const lines = `${child.stdout}\n${child.stderr}`.split('\n')
  const about = lines.filter((line) => line.startsWith('[compile cache]') && line.includes('/module-'))
  const work = JSON.parse(lines.find((line) => line.startsWith('{')) ?? '{}')
  console.log(
    JSON.stringify({
      program: 'node',
      version: process.version,
      cacheDir: work.cacheDir ?? null,
      hits: about.filter((line) => line.includes('was accepted')).length,
      misses: about.filter((line) => line.includes('was not initialized')).length,
      errors: about.filter((line) => /rejected|mismatch|failed/.test(line)),
      checksum: work.checksum ?? null,
    }),
  )
  process.exitCode = child.status ?? 1
  if (process.exitCode !== 0) process.stderr.write(child.stderr)
}
