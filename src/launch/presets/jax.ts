import type { Preset } from '../preset.js'

// jax/_src/lru_cache.py, compilation_cache.py and cache_key.py; every behaviour also run, on the CPU.
export const jax: Preset = {
  name: 'jax',
  about: "JAX's persistent compilation cache",
  variables: { JAX_COMPILATION_CACHE_DIR: 'jax' },
  // `<program>-<sha256>-cache`, written in place with write_bytes(). On GPUs XLA has a directory of autotuning results
  // here (jax_persistent_cache_enable_xla_caches); JAX blanks its path in the key, so it is found in any slot.
  units: ['jax/xla_gpu_per_fusion_autotune_cache_dir/*', 'jax/*'],
  // With jax_compilation_cache_max_size: when an entry was last read, and the lock of the eviction.
  temporary: ['jax/*-atime', 'jax/.lockfile'],
  checked: 'jax 0.12.0.1, run',
}
