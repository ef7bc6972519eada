import type { Preset } from '../preset.js'

// CUDA C++ Programming Guide, "CUDA Environment Variables". The layout is the driver's own, and not documented.
export const cuda: Preset = {
  name: 'cuda',
  about: "The CUDA driver's compute cache (PTX compiled at load time)",
  variables: { CUDA_CACHE_PATH: 'cuda' },
  // An index by which all other files are found.
  units: ['cuda'],
  checked: 'CUDA 13, documentation',
}
