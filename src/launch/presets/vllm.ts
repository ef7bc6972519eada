import type { Preset } from '../preset.js'
import { below } from './below.js'
import { inductorAbsolute, inductorTemporary, inductorUnits } from './inductor.js'
import { tritonAbsolute, tritonTemporary } from './triton.js'

// vllm/compilation/{backends,compiler_interface,decorators}.py, vllm/envs.py

/** JIT mode: `<10 hex digits>/rank_<rank>_<dp rank>`. Complete in itself, and written by this rank only. */
const RANK = 'vllm/torch_compile_cache/*/rank_*'
/** AOT mode, the default with torch 2.12 and later: `<sha256>/`, with an Inductor cache for all ranks. */
const AOT = 'vllm/torch_compile_cache/torch_aot_compile/*'

export const vllm: Preset = {
  name: 'vllm',
  about: 'vLLM, with all that it pulls in',
  // Of all VLLM_* this one may differ between workers: it is no factor of vLLM's hash (envs.compile_factors).
  variables: { VLLM_CACHE_ROOT: 'vllm' },
  includes: ['triton', 'inductor', 'torch-extensions', 'flashinfer', 'deepgemm', 'tilelang', 'cuda', 'numba'],
  units: [
    ...below(`${AOT}/inductor_cache`, inductorUnits),
    `${AOT}/rank_*`,
    RANK,
    'vllm/flashinfer_autotune_cache/*/*/*',
  ],
  temporary: [
    // save_aot_compiled_function(): `model.<pid>.tmp`, then os.replace().
    `${AOT}/rank_*/*.tmp`,
    // vLLM sets TORCHINDUCTOR_CACHE_DIR, and up to 0.20 also TRITON_CACHE_DIR, into its own root, whatever they were.
    ...below(`${AOT}/inductor_cache`, inductorTemporary),
    ...below(`${RANK}/inductor_cache`, inductorTemporary),
    ...below(`${RANK}/triton_cache`, tritonTemporary),
    // write_atomic() of an artifact.
    `${RANK}/**/.*.tmp`,
  ],
  bound: [
    // Which GPUs of this host reach each other, and how much memory was free on them.
    'vllm/gpu_p2p_access_cache_for_*.json',
    'vllm/startup_plan',
  ],
  absolute: [
    // CompilerManager.save_to_file(): (key, absolute path) of every artifact. 0.9 to 0.20 read it from there.
    `${RANK}/**/vllm_compile_cache.py`,
    ...below(`${AOT}/inductor_cache`, inductorAbsolute),
    ...below(`${RANK}/inductor_cache`, inductorAbsolute),
    ...below(`${RANK}/triton_cache`, tritonAbsolute),
  ],
  checked: 'vllm 0.9.2, 0.11.0, 0.14.0, 0.20.0 and 0.33.0, source; the layout of 0.20, replayed',
}
