/** Each setting with its origin, and what in the environment does not mean what it seems to. */
import { isAbsolute } from 'node:path'
import type { Finding, Setting } from '../core/report.js'
import { nearest } from '../core/nearest.js'
import { SETTINGS } from '../host/settings.js'
import type { Situation } from '../host/situation.js'
import { findingsOf } from './finding.js'

const { note, warning } = findingsOf('settings')

export type Environment = Record<string, string | undefined>

/** @param flag `--cache`, as it was given; `directory`: what came out */
export function settingsInForce(env: Environment, flag: string | undefined, directory: string): Setting[] {
  const others = Object.keys(SETTINGS).filter((name) => name !== 'CACHELATCH_DIR')
  return [
    cacheSetting(env, flag, directory),
    ...others.map((name): Setting => {
      const value = env[name] || null
      return { name, value, origin: value === null ? 'default' : 'environment' }
    }),
  ]
}

function cacheSetting(env: Environment, flag: string | undefined, value: string): Setting {
  if (flag !== undefined) return { name: '--cache', value, origin: 'flag' }
  if (env['CACHELATCH_DIR']) return { name: 'CACHELATCH_DIR', value, origin: 'environment' }
  return { name: 'CACHELATCH_DIR', value, origin: 'default' }
}

/** Each worker would make its own of a relative one. */
const PATHS = ['CACHELATCH_DIR', 'CACHELATCH_GATE_DIR', 'CACHELATCH_EVENTS', 'XDG_CACHE_HOME']
const OURS = 'CACHELATCH_'
/** Set by the command for the one it runs. */
const HANDED_ON = 'CACHELATCH_STAGE'

export function aboutSettings(env: Environment, flag: string | undefined): Finding[] {
  return [...aboutPaths(env), ...aboutUnknown(env), ...aboutOverridden(env, flag)]
}

function aboutPaths(env: Environment): Finding[] {
  return PATHS.flatMap((name) => {
    const value = env[name]
    if (value === undefined) return []
    if (value === '') return [note('empty-setting', name, 'is empty, and counts as not set')]
    const why = reasonToDoubt(value)
    if (why === null) return []
    return [warning('doubtful-setting', name, `'${value}' ${why}`, 'Set it to an absolute path.')]
  })
}

/** What a template or a shell has left behind. */
const NO_VALUE = /^(undefined|null|NaN|none|true|false|\[object .*\])$/i

function reasonToDoubt(value: string): string | null {
  if (NO_VALUE.test(value)) return 'looks like the value of a variable that was never set'
  if (value.startsWith('~')) return 'was not expanded by a shell: it is a directory with that name'
  if (/\$\{?\w/.test(value)) return 'contains a variable that was not expanded'
  if (value !== value.trim()) return 'begins or ends with a space'
  return isAbsolute(value) ? null : 'is relative: it is another place for every working directory'
}

/** @param directory in which the file is, or would be */
export function aboutEventsFile(path: string, directory: Situation): Finding[] {
  if (directory.state === 'directory') return []
  const detail = `'${path}' is in no directory that is there: nothing is recorded`
  return [warning('events-file', 'CACHELATCH_EVENTS', detail, 'Make the directory, or point it elsewhere.')]
}

function aboutUnknown(env: Environment): Finding[] {
  const known = [...Object.keys(SETTINGS), HANDED_ON]
  const unknown = Object.keys(env).filter((name) => name.startsWith(OURS) && !known.includes(name))
  return unknown.map((name) => {
    const meant = nearest(name, known)
    const advice = meant === null ? `Known are ${known.join(', ')}.` : `Did you mean ${meant}?`
    return warning('unknown-setting', name, 'is not known, and does nothing', advice)
  })
}

function aboutOverridden(env: Environment, flag: string | undefined): Finding[] {
  if (flag === undefined || !env['CACHELATCH_DIR']) return []
  return [
    note('overridden-setting', 'CACHELATCH_DIR', `'${env['CACHELATCH_DIR']}' is not used: --cache wins`),
  ]
}
