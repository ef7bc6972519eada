/** Where the cache is: the file system, its room, and who may do what there. */
import bytes from 'bytes'
import type { Finding } from '../core/report.js'
import type { Permissions, Situation } from '../host/situation.js'
import type { Contents } from './contents.js'
import { findingsOf } from './finding.js'
import { aboutMountOptions } from './mount-options.js'

const { ok, note, warning, problem } = findingsOf('place')

/** The others are in --json. */
const SHOWN_OPTIONS = 4

export function aboutFileSystem(situation: Situation): Finding[] {
  const { fileSystem, upper } = situation
  const { type, locality, mountPoint, options } = fileSystem
  const kind = { local: 'local', network: 'shared with other hosts, or to be taken so', unknown: 'unknown' }[
    locality
  ]
  const at =
    mountPoint === null
      ? ''
      : `, mounted at ${mountPoint} (${[...new Set(options)].slice(0, SHOWN_OPTIONS).join(',')})`
  const findings = [ok('file-system', 'file system', `${type}, ${kind}${at}`)]
  if (type === 'overlay') {
    const on = upper === null ? '' : ` (upper layer on ${upper.type})`
    const means = `a container's own layer${on}: seen by this container only, and gone with it`
    findings.push(note('overlay', 'overlay', `${means}; what came with the image cannot be renamed`))
  }
  if (type === 'tmpfs' || type === 'ramfs')
    findings.push(note('in-memory', 'in memory', 'what is cached uses memory, and is gone after a restart'))
  return [...findings, ...aboutMountOptions(fileSystem)]
}

/** @param root as it was asked for */
export function aboutState(root: string, { state, errno, nearest }: Situation): Finding[] {
  if (state === 'directory') return []
  if (state === 'missing')
    return [note('missing', 'directory', `${root} is not there yet; looked at ${nearest} instead`)]
  const [detail, advice] =
    state === 'no directory'
      ? ['is none, or below something that is none', 'Remove what stands there']
      : [`cannot be reached (${errno})`, adviceOn(errno)]
  return [
    problem(
      'unreachable',
      'directory',
      `${root} ${detail}; looked at ${nearest} instead`,
      `${advice}, or point the cache elsewhere (--cache, CACHELATCH_DIR).`,
    ),
  ]
}

function adviceOn(errno: string | null): string {
  if (errno === 'EACCES' || errno === 'EPERM') return 'Give this user permission for every directory above it'
  return 'The server or the FUSE process behind it may be gone: mount it again'
}

/** Without entries to go by. */
const SCARCE_BYTES = 256 * 1024 * 1024
/** An entry of one file takes five, its lock two more. */
const SCARCE_INODES = 100

/** @param refused the errno with which writing failed for want of room */
export function aboutRoom(
  { freeBytes, freeInodes }: Situation,
  contents: Contents | null,
  refused: string | null,
): Finding {
  const inodes = freeInodes === null ? '' : `, ${freeInodes} inodes`
  const detail = `${formatBytes(freeBytes)}${inodes} free`
  if (refused !== null || freeBytes === 0 || freeInodes === 0) {
    const errno = refused ?? 'ENOSPC'
    const means = `${detail}: nothing can be published (${errno})`
    return problem(
      'space',
      'room',
      means,
      errno === 'EDQUOT'
        ? 'The quota is used up: remove something, or point the cache elsewhere.'
        : "Free space or inodes there ('cachelatch gc --max-size …'), or point the cache at another disk.",
    )
  }
  const scarce =
    contents !== null && contents.largestBytes > 0
      ? { bytes: contents.largestBytes, than: 'the largest entry needs' }
      : { bytes: SCARCE_BYTES, than: 'most compile caches need' }
  if (freeBytes >= scarce.bytes && (freeInodes ?? SCARCE_INODES) >= SCARCE_INODES)
    return ok('space', 'room', detail)
  const less = freeBytes < scarce.bytes ? `less than ${scarce.than} (${formatBytes(scarce.bytes)})` : 'scarce'
  return warning(
    'space',
    'room',
    `${detail}: ${less}`,
    "Free some ('cachelatch gc --max-size …'), before a build fails for it.",
  )
}

export function aboutWriting(code: string | null, hasCache: boolean): Finding {
  if (code === null) return ok('writable', 'writing', 'this user may write here')
  const why = code === 'EROFS' ? 'it is mounted read-only' : `this user may not write here (${code})`
  const advice =
    code === 'EROFS'
      ? 'Mount it read-write, or point the cache at a writable directory.'
      : 'Give this user write permission, or point the cache elsewhere.'
  return hasCache
    ? warning('writable', 'writing', `${why}: hits only, and what is cold is compiled privately`, advice)
    : problem('writable', 'writing', `${why}: no cache can be made`, advice)
}

const STICKY = 0o1000
const OTHERS_WRITE = 0o002
const SHARED_WRITE = 0o022

/** @param permissions of the root, `v1`, and the directories in it, as far as they are there */
export function aboutPermissions(permissions: Permissions[], { uid, umask }: Situation): Finding[] {
  const findings: Finding[] = []
  for (const { path, isDirectory, mode } of permissions) {
    if (!isDirectory)
      findings.push(
        problem(
          'unsafe-path',
          'permissions',
          `${path} is no directory`,
          'A link or a file was put there, not by cachelatch: look at it, then remove it.',
        ),
      )
    else if (mode & OTHERS_WRITE && !(mode & STICKY))
      findings.push(
        warning(
          'world-writable',
          'permissions',
          `${path} (${octal(mode)}): any user may replace what others compile, and workers run it`,
          `chmod o-w '${path}', or at least chmod +t '${path}'.`,
        ),
      )
  }
  const [root] = permissions
  if (root && uid !== root.uid && findings.length === 0)
    findings.push(note('owner', 'owner', `${root.path} belongs to user ${root.uid}, and this is ${uid}`))
  if (root && root.mode & SHARED_WRITE && umask & 0o050 && root.mode & 0o070)
    findings.push(
      warning(
        'umask',
        'umask',
        `${octal(umask)}, in a directory that others write to as well: they cannot read what this user publishes`,
        'Set umask 022 (or 002, for a group) for every worker that shares the cache.',
      ),
    )
  findings.push(...aboutDevices(permissions))
  if (root && findings.length === 0)
    findings.push(ok('permissions', 'permissions', `${octal(root.mode)}, of user ${root.uid}`))
  return findings
}

function aboutDevices(permissions: Permissions[]): Finding[] {
  const [, top] = permissions
  const apart = permissions.slice(1).filter(({ device }) => device !== top!.device)
  return apart.map(({ path }) =>
    problem(
      'cross-device',
      'one file system',
      `${path} is a mount of its own: nothing can be renamed from or to it`,
      'Unmount it: the whole cache has to be on one file system.',
    ),
  )
}

function formatBytes(count: number): string {
  return bytes.format(count, { unitSeparator: ' ', decimalPlaces: 1 }) ?? `${count} B`
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0')
}
