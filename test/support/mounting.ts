/** Makes file systems, and unmounts what it has made. As root. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './until.js'

export interface Mounts {
  /** A file system in memory, e.g. `size=1m`, `nr_inodes=20`. */
  tmpfs(options?: string, at?: string): string
  remount(path: string, options: string): void
  /** Another view of `directory`, as another host would have it: FUSE. */
  bindfs(directory: string): string
  /** The same, with its server in the foreground: stopped, it is a server that does not answer. */
  stoppableBindfs(directory: string): Promise<{ path: string; server: ChildProcess }>
  /** `directory` over SFTP. The server speaks through a pipe: no port, no account, no key of anybody's. */
  sshfs(directory: string): string
  /** Another name of `directory`, on the same kernel file system. */
  bind(directory: string): string
  /** What a container has: a layer of its own above one that it shares; the layers are made in `directory`. */
  overlay(directory?: string): string
  /** A small disk of its own, in a file. */
  disk(type: 'ext4' | 'xfs' | 'btrfs', bytes?: number): string
}

const DISK_BYTES = 512 * 1024 * 1024

export function createMounts(): Mounts & { unmountAll(): void } {
  const mounted: string[] = []
  const bases: string[] = []
  const servers: ChildProcess[] = []
  const newDirectory = (name: string): string => {
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'cachelatch-mount-')))
    bases.push(base)
    mkdirSync(join(base, name))
    return join(base, name)
  }
  const place = (): string => newDirectory('mnt')
  const mount = (path: string, command: string, ...args: string[]): string => {
    execFileSync(command, args)
    mounted.push(path)
    return path
  }
  const unmountAll = (): void => {
    for (const server of servers.splice(0)) server.kill('SIGKILL')
    // Lazily: what is still open there must not keep the next test from its clean machine.
    for (const path of mounted.splice(0).reverse()) spawnSync('umount', ['-l', path])
    for (const base of bases.splice(0)) rmSync(base, { recursive: true, force: true })
  }
  process.once('exit', unmountAll)
  return {
    tmpfs: (options = 'size=64m', path = place()) =>
      mount(path, 'mount', '-t', 'tmpfs', '-o', options, 'none', path),
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
    sshfs(directory) {
      const path = place()
      return mount(path, 'sshfs', '-F', loopback(newDirectory('ssh')), `loopback:${directory}`, path)
    },
    bind(directory) {
      const path = place()
      return mount(path, 'mount', '--bind', directory, path)
    },
    overlay(directory = newDirectory('layers')) {
      const path = place()
      const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => join(directory, name))
      for (const layer of [lower!, upper!, work!]) mkdirSync(layer)
      const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
      return mount(path, 'mount', '-t', 'overlay', '-o', layers, 'none', path)
    },
    disk(type, bytes = DISK_BYTES) {
      const path = place()
      const image = join(path, '../image')
      writeFileSync(image, '')
      truncateSync(image, bytes)
      execFileSync(`mkfs.${type}`, ['-q', image])
      return mount(path, 'mount', '-o', 'loop', image, path)
    },
    bindfs(directory) {
      const path = place()
      return mount(path, 'bindfs', directory, path)
    },
    unmountAll,
  }
}

/** Settings for ssh(1) in `directory`, by which `loopback` is an sshd of its own that ends with the connection. */
function loopback(directory: string): string {
  const [key, settings] = [join(directory, 'key'), join(directory, 'settings')]
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  // sshd wants it, also where no service is installed.
  mkdirSync('/run/sshd', { recursive: true })
  const options = [
    `AuthorizedKeysFile=${key}.pub`,
    'StrictModes=no',
    'UsePAM=no',
    'Subsystem=sftp\\ internal-sftp',
  ]
  const sshd = `/usr/sbin/sshd -i -f /dev/null -h ${key} -o ${options.join(' -o ')}`
  const lines = [
    'Host loopback',
    'User root',
    `IdentityFile ${key}`,
    'UserKnownHostsFile /dev/null',
    'StrictHostKeyChecking no',
    'LogLevel ERROR',
    `ProxyCommand ${sshd}`,
  ]
  writeFileSync(settings, `${lines.join('\n')}\n`)
  return settings
}
