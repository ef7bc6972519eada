import type { Preset } from '../preset.js'
import { below } from './below.js'

// triton/runtime/cache.py and triton/knobs.py; every behaviour also run, with kernels compiled for sm_90.

/** FileCacheManager: `<base32 of the key>/`. A binary with another worker's metadata is silently wrong (triton#11319). */
export const tritonUnits = ['*']

/** FileCacheManager.put: `tmp.pid_<pid>_<uuid>/`, and `lock`, which is named but never made. */
export const tritonTemporary = ['*/tmp.pid_*', '*/lock']

/** put_group() writes absolute paths, and get_group() opens them wherever they lead: into another slot, if they say so. */
export const tritonAbsolute = ['*/__grp__*.json']

export const triton: Preset = {
  name: 'triton',
  about: "Triton's kernels",
  variables: { TRITON_CACHE_DIR: 'triton' },
  units: below('triton', tritonUnits),
  temporary: below('triton', tritonTemporary),
  absolute: below('triton', tritonAbsolute),
  checked: 'triton 3.9.0, run',
}
