/** What kind of file system a directory is on: decides the locker, and which thread makes the calls. */
import { readFileSync, realpathSync, statfsSync } from 'node:fs'

export type Locality = 'local' | 'network' | 'unknown'

export interface FileSystem {
  /** As in /proc/self/mountinfo (`ext4`, `nfs4`, `fuse.sshfs` …); `unknown` where there is none. */
  type: string
  locality: Locality
  mountPoint: string | null
  /** Mount options and super-block options. */
  options: string[]
}

/** Kernel file systems on which flock(2) is known to exclude and to die with its holder (FACTS: measured). */
const LOCAL = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'tmpfs',
  'ramfs',
  'f2fs',
  'zfs',
  'bcachefs',
  'overlay',
  'apfs',
  'hfs',
])
const NETWORK = new Set([
  'nfs',
  'nfs4',
  'cifs',
  'smb3',
  'smbfs',
  'lustre',
  'gpfs',
  'ceph',
  '9p',
  'afs',
  'glusterfs',
  'beegfs',
  'virtiofs',
])

export function inspectFileSystem(directory: string): FileSystem {
  const mount = findMount(realpathSync(directory))
  if (mount !== null) return { ...mount, locality: localityOf(mount.type) }
  const type = process.platform === 'darwin' ? darwinType(directory) : 'unknown'
  return { type, locality: localityOf(type), mountPoint: null, options: [] }
}

function localityOf(type: string): Locality {
  if (LOCAL.has(type)) return 'local'
  // FUSE may be anything, and mostly a network: treated as one, and said so.
  return NETWORK.has(type) || type.startsWith('fuse') ? 'network' : 'unknown'
}

interface Mount {
  type: string
  mountPoint: string
  options: string[]
}

/** proc(5), mountinfo: `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`. */
function findMount(directory: string): Mount | null {
  let table: string
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    return null
  }
  let best: Mount | null = null
  for (const line of table.split('\n')) {
    const [left = '', right = ''] = line.split(' - ')
    const mountPoint = unescape8(left.split(' ')[4] ?? '')
    if (!contains(mountPoint, directory)) continue
    // The longest mount point wins, and of two on one point the later: it covers the earlier.
    if (best !== null && mountPoint.length < best.mountPoint.length) continue
    const [type = 'unknown', , superOptions = ''] = right.split(' ')
    const options = [...(left.split(' ')[5] ?? '').split(','), ...superOptions.split(',')]
    best = { type, mountPoint, options }
  }
  return best
}

function contains(mountPoint: string, directory: string): boolean {
  if (mountPoint === '/') return true
  return mountPoint !== '' && (directory === mountPoint || directory.startsWith(`${mountPoint}/`))
}

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
function unescape8(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** macOS: only APFS and HFS+ report these numbers from statfs; anything else is treated as unknown. */
function darwinType(directory: string): string {
  const { type } = statfsSync(directory)
  return type === 0x1a ? 'apfs' : type === 0x11 ? 'hfs' : 'unknown'
}
