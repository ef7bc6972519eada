/** What can be known about a directory without writing to it: for doctor. All of these calls may hang. */
import { lstatSync, realpathSync, statSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { currentUid } from './directories.js'
import { errnoOf } from './disk-errors.js'
import { type FileSystem, inspectFileSystem } from './filesystem.js'

export interface Situation {
  /** `missing`: `nearest` is the closest directory above it that is there. */
  state: 'directory' | 'missing' | 'no directory' | 'unreachable'
  /** Why it is unreachable. */
  errno: string | null
  /** Links resolved. */
  nearest: string
  fileSystem: FileSystem
  /** Of an overlay: what its upper layer is on, where that can be seen from here. */
  upper: FileSystem | null
  freeBytes: number
  /** `null`: the file system makes them as it needs them. */
  freeInodes: number | null
  uid: number
  umask: number
}

export interface Permissions {
  path: string
  isDirectory: boolean
  uid: number
  /** Permission bits, with sticky, setuid and setgid. */
  mode: number
  device: number
}

export function lookAround(root: string): Situation {
  const { state, errno } = stateOf(root)
  const nearest = nearestDirectory(root)
  const fileSystem = inspectFileSystem(nearest)
  const { bavail, bsize, files, ffree } = statfsSync(nearest)
  return {
    state,
    errno,
    nearest,
    fileSystem,
    upper: upperLayer(fileSystem),
    freeBytes: bavail * bsize,
    freeInodes: files > 0 ? ffree : null,
    uid: currentUid(),
    umask: currentUmask(),
  }
}

/** Of those that are there, and not below something that is no directory: a link leads elsewhere. */
export function permissionsOf(paths: string[]): Permissions[] {
  const found: Permissions[] = []
  for (const path of paths) {
    if (found.some((above) => !above.isDirectory && path.startsWith(`${above.path}/`))) continue
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats === undefined) continue
    const { uid, mode, dev: device } = stats
    found.push({ path, isDirectory: stats.isDirectory(), uid, mode: mode & 0o7777, device })
  }
  return found
}

function stateOf(root: string): Pick<Situation, 'state' | 'errno'> {
  try {
    const isDirectory = statSync(root).isDirectory()
    // What a kernel remembers of a server that is gone, stat still tells; this asks the server.
    statfsSync(root)
    return { state: isDirectory ? 'directory' : 'no directory', errno: null }
  } catch (error) {
    const errno = errnoOf(error) ?? null
    if (errno === 'ENOENT') return { state: 'missing', errno: null }
    return { state: errno === 'ENOTDIR' ? 'no directory' : 'unreachable', errno }
  }
}

function nearestDirectory(path: string): string {
  try {
    const real = realpathSync(path)
    if (statSync(real).isDirectory() && statfsSync(real)) return real
  } catch {
    // Then one above it.
  }
  return path === dirname(path) ? path : nearestDirectory(dirname(path))
}

function upperLayer({ type, options }: FileSystem): FileSystem | null {
  if (type !== 'overlay') return null
  const directory = options.find((each) => each.startsWith('upperdir='))?.slice('upperdir='.length)
  try {
    return directory === undefined ? null : inspectFileSystem(directory)
  } catch {
    return null // Of another mount namespace: in a container, the host's.
  }
}

/** There is no call that only reads it. */
function currentUmask(): number {
  const mask = process.umask(0o077)
  process.umask(mask)
  return mask
}
