import type { Preset } from '../preset.js'

// tilelang/cache/kernel_cache.py, tilelang/autotuner/param.py

/** `<version>/<system>-<machine>` */
const NAMESPACE = 'tilelang/*/*'

export const tilelang: Preset = {
  name: 'tilelang',
  about: 'TileLang: kernels and autotuning',
  variables: { TILELANG_CACHE_DIR: 'tilelang' },
  // Directories with a manifest of hashes, staged and renamed.
  units: [`${NAMESPACE}/kernels/*`, `${NAMESPACE}/autotuner/*`],
  temporary: [`${NAMESPACE}/.staging`, 'tilelang/**/.*.tmp', 'tilelang/**/.*.tmp.*'],
  checked: 'tilelang 0.1.15, source',
}
