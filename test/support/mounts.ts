/** File systems of a test, unmounted after it, also when it failed. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { until } from './until.js'

export interface Mounts {
  /** A file system in memory, e.g. `size=1m`, `nr_inodes=20`. */
  tmpfs(options?: string, at?: string): string
  remount(path: string, options: string): void
  /** Another view of `directory`, as another host would have it: FUSE. */
  bindfs(directory: string): string
  /** The same, with its server in the foreground: stopped, it is a server that does not answer. */
  stoppableBindfs(directory: string): Promise<{ path: string; server: ChildProcess }>
  /** Another name of `directory`, on the same kernel file system. */
  bind(directory: string): string
  /** What a container has: a layer of its own above one that it shares. */
  overlay(): string
  /** A small disk of its own, in a file. */
  disk(type: 'ext4' | 'xfs' | 'btrfs'): string
}

const DISK_BYTES = 512 * 1024 * 1024

export function useMounts(): Mounts {
  const mounted: string[] = []
  const bases: string[] = []
  const servers: ChildProcess[] = []
  const place = (): string => {
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'cachelatch-mount-')))
    bases.push(base)
    const path = join(base, 'mnt')
    mkdirSync(path)
    return path
  }
  afterEach(() => {
    for (const server of servers.splice(0)) server.kill('SIGKILL')
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
    async stoppableBindfs(directory) {
      const path = place()
      const before = statSync(path).dev
      const server = spawn('bindfs', ['-f', directory, path], { stdio: 'ignore' })
      servers.push(server)
      await until('it is mounted', () => statSync(path).dev !== before)
      mounted.push(path)
      return { path, server }
    },
    bind(directory) {
      const path = place()
      execFileSync('mount', ['--bind', directory, path])
      mounted.push(path)
      return path
    },
    overlay() {
      const path = place()
      const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => join(path, '..', name))
      for (const layer of [lower!, upper!, work!]) mkdirSync(layer)
      const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
      execFileSync('mount', ['-t', 'overlay', '-o', layers, 'none', path])
      mounted.push(path)
      return path
    },
    disk(type) {
      const path = place()
      const image = join(path, '../image')
      writeFileSync(image, '')
      truncateSync(image, DISK_BYTES)
      execFileSync(`mkfs.${type}`, ['-q', image])
      execFileSync('mount', ['-o', 'loop', image, path])
      mounted.push(path)
      return path
    },
    bindfs(directory) {
      const path = place()
      execFileSync('bindfs', [directory, path])
      mounted.push(path)
      return path
    },
  }
}
