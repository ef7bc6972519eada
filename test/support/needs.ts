/**
 * What a test needs beyond Node. Missing things skip the test with the reason; with CACHELATCH_TEST_ALL=1 (CI), a
 * missing thing is an error: nothing is skipped there unseen.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NODE_24, pythonOf } from './programs.js'

/** Where bash-completion is on Linux. */
export const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion'

const PROBES = {
  linux: () => process.platform === 'linux',
  root: () => process.getuid?.() === 0,
  bindfs: () => existsSync('/dev/fuse') && runs('bindfs', '--version'),
  'sshfs and sshd': () =>
    existsSync('/dev/fuse') && runs('sshfs', '--version') && existsSync('/usr/sbin/sshd'),
  'setpriv --pdeathsig': () => runs('setpriv', '--pdeathsig', 'KILL', 'true'),
  'script(1)': () => runs('script', '-qec', 'true', '/dev/null'),
  'flock(1)': () => runs('flock', '--version'),
  // Attached until it was told to stop, however slow the machine is; where it may not attach, it ends by itself.
  strace: () =>
    runs(
      'sh',
      '-c',
      'sleep 60 & timeout -s INT 0.3 strace -o /dev/null -p $!; code=$?; kill $!; [ $code = 124 ]',
    ),
  python3: () => runs('python3', '--version'),
  'python3 with filelock': () => runs('python3', '-c', 'import filelock'),
  zsh: () => runs('zsh', '--version'),
  fish: () => runs('fish', '--version'),
  'bash-completion': () => existsSync(BASH_COMPLETION),
  'PID namespaces (unshare)': () => runs('unshare', '-fp', '--mount-proc', 'true'),
  JAX: () => runs(pythonOf('jax'), '-c', 'import jax'),
  Triton: () => runs(pythonOf('triton'), '-c', 'import triton'),
  Numba: () => runs(pythonOf('numba'), '-c', 'import numba'),
  Ray: () => runs(pythonOf('ray'), '-c', 'import ray, jax'),
  'Node 24': () => runs(NODE_24, '--version'),
  'mount tmpfs': () => process.getuid?.() === 0 && canMountTmpfs(),
  'mkfs.ext4, mkfs.xfs and mkfs.btrfs': () =>
    ['ext4', 'xfs', 'btrfs'].every((type) => runs(`mkfs.${type}`, '-V')),
} as const

export type Need = keyof typeof PROBES

export function lacking(...needs: Need[]): Need[] {
  return needs.filter((need) => !PROBES[need]())
}

/** For `test.skipIf(missing('bindfs'))` and the like; says on stderr what is missing. */
export function missing(...needs: Need[]): boolean {
  const absent = lacking(...needs)
  if (absent.length === 0) return false
  const reason = `needs ${absent.join(', ')}`
  if (process.env['CACHELATCH_TEST_ALL'] === '1')
    throw new Error(`This run must not skip anything, but a test ${reason}.`)
  process.stderr.write(`skipped: ${reason}\n`)
  return true
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function canMountTmpfs(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'cachelatch-needs-'))
  const mounted = runs('mount', '-t', 'tmpfs', 'none', directory)
  if (mounted) runs('umount', directory)
  rmSync(directory, { recursive: true, force: true })
  return mounted
}
