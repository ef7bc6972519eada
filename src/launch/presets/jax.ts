import type { Preset } from '../preset.js'

export const jax: Preset = {
  name: 'jax',
  variables: { JAX_COMPILATION_CACHE_DIR: 'jax' },
  units: ['jax/*'],
  temporary: ['*-atime', '.lockfile'],
  checked: 'jax 0.12.0.1',
}
