import type { Preset } from '../preset.js'
import { below } from './below.js'
import { deepgemmTemporary, deepgemmUnits } from './deepgemm.js'

// sglang/srt/environ.py, sglang/kernels/jit/utils/compile/cache.py, sglang/kernels/jit/cute_aot_cache.py

export const sglang: Preset = {
  name: 'sglang',
  about: 'SGLang, with all that it pulls in',
  // SGLANG_JIT_CACHE_DIR does not follow SGLANG_CACHE_DIR: its default is ~/.cache/sglang/jit.
  variables: { SGLANG_CACHE_DIR: 'sglang', SGLANG_JIT_CACHE_DIR: 'sglang/jit' },
  // third_party_cache_defaults() would have these in SGLANG_CACHE_DIR, where they are unset.
  includes: ['triton', 'inductor', 'torch-extensions', 'flashinfer', 'deepgemm', 'tilelang', 'cuda', 'numba'],
  units: [
    // `<target>/<module>/build-<key>/deps-<key>/`, staged and renamed, and never modified.
    'sglang/jit/*/*/*/deps-*',
    // SGLang sets DG_JIT_CACHE_DIR itself, whatever it was.
    ...below('sglang/deep_gemm', deepgemmUnits),
    'sglang/flashinfer/autotune/*/*/*',
  ],
  temporary: [
    'sglang/jit/*/*/*/.staging-*',
    'sglang/jit/*/*/*/.lock',
    'sglang/cute_aot/.*.tmp*',
    'sglang/cute_aot/*.lock',
    ...below('sglang/deep_gemm', deepgemmTemporary),
  ],
  // Which GPUs of this host reach each other.
  bound: ['sglang/gpu_p2p_access_cache_for_*.json'],
  checked: 'sglang 0.5.23, source',
}
