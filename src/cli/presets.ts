/** What `--preset` names: presets of ours, and files of the user's own. */
import { realHost } from '../host/host.js'
import type { Preset } from '../launch/preset.js'
import { UsageError } from './usage.js'

/** @param named as given, each a name or several with commas; a path has a `/`, or ends in `.json` */
export async function presetsNamed(named: readonly string[]): Promise<(string | Preset)[]> {
  const names = named.flatMap((each) => each.split(','))
  if (names.length === 0) throw new UsageError('a preset is missing: --preset NAME.')
  if (!names.some(isFile)) return names
  // The validator is loaded for those who have something to validate.
  const { readPreset } = await import('../launch/preset-file.js')
  return Promise.all(names.map(async (name) => (isFile(name) ? readPreset(realHost(), name) : name)))
}

function isFile(name: string): boolean {
  return name.includes('/') || name.endsWith('.json')
}
