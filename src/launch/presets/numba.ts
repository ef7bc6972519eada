import type { Preset } from '../preset.js'

// numba/core/caching.py; run on the CPU.
export const numba: Preset = {
  name: 'numba',
  about: "Numba's @jit(cache=True)",
  variables: { NUMBA_CACHE_DIR: 'numba' },
  // `<directory>_<hash of its path>/`. In it an index, `<function>-<line>.<python>.nbi`, names its `.<n>.nbc` by number:
  // one worker's index is wrong for another's data.
  units: ['numba/*'],
  temporary: ['numba/*/*.tmp.*'],
  checked: 'numba 0.68.1, run',
}
