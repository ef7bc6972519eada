import type { Preset } from '../preset.js'

// torch/utils/cpp_extension.py. With torch 2.15.0 an extension took 51 s cold, 0.1 s warm, and 37 s in a copied directory.
export const torchExtensions: Preset = {
  name: 'torch-extensions',
  about: 'C++ and CUDA extensions that torch builds at run time',
  variables: { TORCH_EXTENSIONS_DIR: 'torch-extensions' },
  units: ['torch-extensions/*'],
  // Before FileLock a FileBaton: who finds `lock` waits until it is gone, after a killed worker for ever.
  temporary: ['torch-extensions/*/lock'],
  // ninja records a hash of every command, with the absolute paths in it, and builds anew at any other path.
  bound: ['torch-extensions/*'],
  checked: 'torch 2.15.0, run',
}
