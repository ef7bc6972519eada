import type { Preset } from '../preset.js'

// src/compile_cache.cc. Node 20 has no such cache.
export const node: Preset = {
  name: 'node',
  about: "Node's module compile cache (Node 22 and later)",
  // Without NODE_COMPILE_CACHE_PORTABLE: with it, the key of a module is its path relative to the cache, and a root at
  // another depth is cold. Without it the key is the module's own path, and every slot is warm.
  variables: { NODE_COMPILE_CACHE: 'node' },
  // `v<version>-<arch>-<hash>-<uid>/<8 hex digits>`, written when the process ends.
  units: ['node/*/*'],
  // mkstemp(): `<8 hex digits>.XXXXXX`, then renamed.
  temporary: ['node/*/*.*'],
  checked: 'node 22.23.3, 24.21.0 and 26.10.0, run',
}
