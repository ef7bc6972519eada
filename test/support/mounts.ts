/** File systems of a test, unmounted after it, also when it failed. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

export interface Mounts {
  /** A file system in memory, e.g. `size=1m`, `nr_inodes=20`. */
  tmpfs(options?: string, at?: string): string
  remount(path: string, options: string): void
  /** Another view of `directory`, as another host would have it: FUSE. */
  bindfs(directory: string): string
}

export function useMounts(): Mounts {
  const mounted: string[] = []
  const bases: string[] = []
  const place = (): string => {
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'cachelatch-mount-')))
    bases.push(base)
    const path = join(base, 'mnt')
    mkdirSync(path)
    return path
  }
  afterEach(() => {
    // Lazily: what is still open there must not keep the next test from its clean machine.
    for (const path of mounted.splice(0).reverse()) spawnSync('umount', ['-l', path])
    for (const base of bases.splice(0)) rmSync(base, { recursive: true, force: true })
  })
  return {
    tmpfs(options = 'size=64m', path = place()) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', path])
      mounted.push(path)
      return path
    },
    remount: (path, options) => void execFileSync('mount', ['-o', `remount,${options}`, path]),
    bindfs(directory) {
      const path = place()
      execFileSync('bindfs', [directory, path])
      mounted.push(path)
      return path
    },
  }
}
