import type { Preset } from '../preset.js'

// jax/_src/lru_cache.py, compilation_cache.py and cache_key.py; every behaviour also run, on the CPU.
export const jax: Preset = {
  name: 'jax',
  about: "JAX's persistent compilation cache",
  variables: {
    JAX_COMPILATION_CACHE_DIR: 'jax',
    // Else XLA has a directory in here for what it finds out on GPUs, whose path is part of the key in jax 0.10 (0.12
    // blanks it): every slot but its own would be cold.
    JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES: '=none',
  },
  // `<program>-<sha256>-cache`, written in place with write_bytes(); and, where the user wants it, XLA's directory.
  units: ['jax/xla_gpu_per_fusion_autotune_cache_dir/*', 'jax/*'],
  // With jax_compilation_cache_max_size: when an entry was last read, and the lock of the eviction.
  temporary: ['jax/*-atime', 'jax/.lockfile'],
  checked: 'jax 0.10.2 and 0.12.0.1, run',
}
