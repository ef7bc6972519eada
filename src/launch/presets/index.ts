/** All presets that come with cachelatch. */
import { LatchError } from '../../core/errors.js'
import type { Preset } from '../preset.js'
import { cuda } from './cuda.js'
import { cupy } from './cupy.js'
import { deepgemm } from './deepgemm.js'
import { flashinfer } from './flashinfer.js'
import { inductor } from './inductor.js'
import { jax } from './jax.js'
import { node } from './node.js'
import { numba } from './numba.js'
import { onnxruntime } from './onnxruntime.js'
import { sglang } from './sglang.js'
import { tilelang } from './tilelang.js'
import { torchExtensions } from './torch-extensions.js'
import { triton } from './triton.js'
import { vllm } from './vllm.js'
import { warp } from './warp.js'

export const PRESETS: readonly Preset[] = [
  vllm,
  sglang,
  inductor,
  triton,
  torchExtensions,
  flashinfer,
  deepgemm,
  tilelang,
  jax,
  cuda,
  numba,
  cupy,
  warp,
  onnxruntime,
  node,
]

/**
 * These presets and all that they include, each once, in the order in which they are first needed.
 * @param wanted names of ours, or presets of the user's own; one of these stands in for ours of the same name
 * @throws LatchError PRESET_INVALID for a name that nobody knows
 */
export function findPresets(wanted: readonly (string | Preset)[]): Preset[] {
  const own = wanted.filter((each) => typeof each !== 'string')
  const known = new Map([...PRESETS, ...own].map((preset) => [preset.name, preset]))
  const found = new Map<string, Preset>()
  const find = (name: string): void => {
    if (found.has(name)) return
    const preset = known.get(name)
    if (!preset) throw unknown(name, [...known.keys()])
    found.set(name, preset)
    preset.includes?.forEach(find)
  }
  for (const each of wanted) find(typeof each === 'string' ? each : each.name)
  return [...found.values()]
}

function unknown(name: string, names: readonly string[]): LatchError {
  return new LatchError('PRESET_INVALID', `There is no preset '${name}'.`, {
    hint: `There are: ${names.toSorted().join(', ')}. One of your own is a JSON file.`,
  })
}
