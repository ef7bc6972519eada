import type { Preset } from '../preset.js'
import { below } from './below.js'

// csrc/jit/compiler.hpp

/** Compiler::build(): `cache/kernel.<name>.<hash>/`, made as `tmp/<uuid>/` and renamed whole. */
export const deepgemmUnits = ['cache/*']

/** `locks`: SGLang's, for one group of kernels at a time. */
export const deepgemmTemporary = ['tmp', 'locks']

export const deepgemm: Preset = {
  name: 'deepgemm',
  about: "DeepGEMM's kernels",
  variables: { DG_JIT_CACHE_DIR: 'deepgemm' },
  units: below('deepgemm', deepgemmUnits),
  temporary: below('deepgemm', deepgemmTemporary),
  checked: 'deep_gemm 2.1.1, source',
}
