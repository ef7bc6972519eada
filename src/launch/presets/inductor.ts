import type { Preset } from '../preset.js'
import { below } from './below.js'
import { tritonAbsolute, tritonTemporary, tritonUnits } from './triton.js'

// torch/_inductor/codecache.py and runtime/cache_dir_utils.py; run on the CPU.

/** Where Inductor has Triton keep its kernels while TRITON_CACHE_DIR is not set: `triton/<device>`. */
const KERNELS = 'triton/*'

export const inductorUnits = [
  // FxGraphCache and AOTAutogradCache: a directory a key, in it one file for each set of guards.
  'fxgraph/*/*',
  'aotautograd/*',
  ...below(KERNELS, tritonUnits),
  // The rest is code, named by the hash of its source (`<xx>/<hash>.py`, `.cpp`, `.so`, `.main.so`): by itself.
]

export const inductorTemporary = [
  // The FileLocks of all compiles.
  'locks',
  // write_atomic(): `.<pid>.<thread>.tmp` beside the target.
  '**/.*.tmp',
  // Where g++ is run. The linker writes the `.so` in place, in the directory above.
  '*/*_CxxBuild',
  ...below(KERNELS, tritonTemporary),
]

/** Inductor's own files need none: torch 2.6 includes a header by its path, but finds the `.so` made from it without. */
export const inductorAbsolute = below(KERNELS, tritonAbsolute)

export const inductor: Preset = {
  name: 'inductor',
  about: "torch.compile's cache (Inductor)",
  variables: { TORCHINDUCTOR_CACHE_DIR: 'inductor' },
  units: below('inductor', inductorUnits),
  temporary: below('inductor', inductorTemporary),
  absolute: below('inductor', inductorAbsolute),
  checked: 'torch 2.6.0 and 2.15.0, run on the CPU',
}
