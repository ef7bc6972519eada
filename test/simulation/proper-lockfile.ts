/**
 * proper-lockfile as it is installed, each simulated process with an instance of its own, over simulated timers and a
 * simulated Date: its files are run as CommonJS modules are, with these three names handed in.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { compileFunction } from 'node:vm'
import type { Body } from '../../src/lock/hearts.js'

export interface Timers {
  setTimeout: (tick: () => void, ms: number) => unknown
  clearTimeout: (timer: never) => void
  now: () => number
}

const require = createRequire(import.meta.url)
const HOME = dirname(require.resolve('proper-lockfile'))
const NAMES = ['module', 'exports', 'require', 'setTimeout', 'clearTimeout', 'Date']

type Run = (...values: unknown[]) => void
const compiled = new Map<string, Run>()

export function properLockfileOver(timers: Timers): Body['lock'] {
  const loaded = new Map<string, { exports: unknown }>()
  class SimulatedDate extends Date {
    static override now = timers.now
  }
  const load = (path: string): unknown => {
    const known = loaded.get(path)
    if (known) return known.exports
    const module = { exports: {} }
    loaded.set(path, module)
    const requireFrom = (name: string): unknown => resolve(name, dirname(path))
    compile(path)(module, module.exports, requireFrom, timers.setTimeout, timers.clearTimeout, SimulatedDate)
    return module.exports
  }
  const resolve = (name: string, from: string): unknown => {
    if (name.startsWith('.')) return load(join(from, `${name}.js`))
    // It unlocks synchronously when the process exits: a simulated process has no such moment.
    return name === 'signal-exit' ? () => undefined : dependency(name)
  }
  return (load(join(HOME, 'index.js')) as { lock: Body['lock'] }).lock
}

const dependencies = new Map<string, unknown>()

function dependency(name: string): unknown {
  const known = dependencies.get(name) ?? require(require.resolve(name, { paths: [HOME] }))
  dependencies.set(name, known)
  return known
}

function compile(path: string): Run {
  const known =
    compiled.get(path) ?? (compileFunction(readFileSync(path, 'utf8'), NAMES, { filename: path }) as Run)
  compiled.set(path, known)
  return known
}
