import type { Preset } from '../preset.js'

// cupy/cuda/_compiler_cache.py
export const cupy: Preset = {
  name: 'cupy',
  about: "CuPy's kernels",
  variables: { CUPY_CACHE_DIR: 'cupy' },
  // `<hash>.cubin`, `.ltoir` or `.hsaco`, with its own checksum.
  units: ['cupy/*'],
  // NamedTemporaryFile() beside the target, then os.replace().
  temporary: ['cupy/tmp????????'],
  checked: 'cupy 14.2.0, source',
}
