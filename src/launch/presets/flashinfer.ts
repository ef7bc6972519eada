import type { Preset } from '../preset.js'
import { below } from './below.js'

// flashinfer/jit/{env,core,cpp_ext,cubin_loader}.py, flashinfer/autotune_cache.py

/** The variable names the parent of `.cache/flashinfer`. */
const HOME = 'flashinfer/.cache/flashinfer'
/** `<version>/<architectures>` */
const WORKSPACE = `${HOME}/*/*`

export const flashinfer: Preset = {
  name: 'flashinfer',
  about: 'FlashInfer: kernels, cubins, autotuning',
  variables: { FLASHINFER_WORKSPACE_BASE: 'flashinfer' },
  // Cubins are downloads, each checked by its own hash: each by itself.
  units: [`${HOME}/autotune/*`],
  temporary: [`${WORKSPACE}/cached_ops/tmp`, ...below(HOME, ['**/*.lock', '**/*.tmp', '**/*.tmp.*'])],
  // Built by ninja, which records a hash of every command, with the absolute paths in it: every slot builds once.
  bound: [`${WORKSPACE}/cached_ops`, `${WORKSPACE}/generated`],
  checked: 'flashinfer 0.7.2.post1, source',
}
