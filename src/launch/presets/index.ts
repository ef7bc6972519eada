/** All presets that come with cachelatch. */
import { LatchError } from '../../core/errors.js'
import type { Preset } from '../preset.js'
import { jax } from './jax.js'

const PRESETS: readonly Preset[] = [jax]

export function findPresets(wanted: readonly (string | Preset)[]): Preset[] {
  return wanted.map((each) => (typeof each === 'string' ? find(each) : each))
}

function find(name: string): Preset {
  const preset = PRESETS.find((each) => each.name === name)
  if (preset) return preset
  throw new LatchError('PRESET_INVALID', `There is no preset '${name}'.`, {
    hint: `There are: ${PRESETS.map((each) => each.name).join(', ')}.`,
  })
}
