/** A large cache, made at once: manifests, locks and statistics as builds leave them, but none of the files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalKey, keyLabel } from '../src/core/key.js'
import { realAppending } from '../src/host/append-file.js'
import { sha256 } from '../src/host/hash.js'
import { countNow } from '../src/store/count.js'
import { Layout, MANIFEST } from '../src/store/layout.js'
import { encodeManifest } from '../src/store/manifest.js'

/** Neither ls nor gc looks at an entry's files before something is removed. @param root of a cache that is open */
export function plant(root: string, index: number): void {
  const key = canonicalKey({ model: `entry ${index}`, dtype: 'bf16', device: 'sm_90' })
  const layout = new Layout(root)
  const path = layout.entry(sha256(key))
  mkdirSync(path, { recursive: true })
  const bytes = 1_000_000 + index
  const files = ['kernel.cubin', 'kernel.json', 'launcher.so'].map((name) => ({
    path: name,
    size: Math.floor(bytes / 3),
    mode: 0o644,
    sha256: sha256(name),
  }))
  const manifest = { key, createdAt: Date.now(), buildMs: 1, bytes, files, links: [], directories: [] }
  writeFileSync(join(path, MANIFEST), encodeManifest(manifest))
  // As its build has left them: a lock file is never deleted, and each process writes a line.
  writeFileSync(`${layout.lock(sha256(key))}.lock`, '')
  countNow(realAppending, layout, [
    { at: Date.now(), id: sha256(key), key: keyLabel(key), counts: { compiled: 1, bytes } },
  ])
}
