/** What can go wrong with one call to a disk, and from then on. */
import type { LatchErrorCode } from '../../src/index.js'
import type { Failure } from '../support/node-fs.js'

export interface Fault extends Failure {
  name: string
  /** Whether a call of this name can fail so. */
  strikes: (call: string) => boolean
  /** All later calls that can, do. */
  persists: boolean
  /** What it is to those who are told. */
  code: LatchErrorCode
}

const WRITING = setOf(
  'chmod chown copyFile create fsync link lutimes mkdir mkdtemp rename renameat2 rm rmdir symlink unlink write',
)
const ON_A_DESCRIPTOR = setOf('close flock fstat fsync read write')
/**
 * Of what is named by a path, the only calls after which EBUSY is told from other errors (HeldDirectory.take): of the
 * rest, a case with EINTR would be the one with EBUSY again. faults.test.ts looks whether that is still so.
 */
const BUSY_OR_NOT = setOf('create rename')
const OPENING = setOf('copyFile create mkdtemp open readdir')
const TAKING_SPACE = setOf('copyFile create fsync link mkdir mkdtemp rename symlink write')

function setOf(names: string): ReadonlySet<string> {
  return new Set(names.split(' '))
}

const anything = (): boolean => true
const writing = (call: string): boolean => WRITING.has(call)
const byPath = (call: string): boolean => !ON_A_DESCRIPTOR.has(call)

function fails(
  errno: string,
  code: LatchErrorCode,
  strikes: Fault['strikes'],
  when: Failure['when'] = 'before',
): Fault {
  const name = when === 'after' ? `${errno}, and it was done` : errno
  return { name, errno, when, code, strikes, persists: false }
}

const fromThenOn = (fault: Fault): Fault => ({ ...fault, name: `${fault.name} from then on`, persists: true })

const FULL = fails('ENOSPC', 'DISK_FULL', (call) => TAKING_SPACE.has(call))
const BROKEN = fails('EIO', 'DISK_ERROR', anything)
const FORBIDDEN = fails('EACCES', 'NO_PERMISSION', byPath)
const READ_ONLY = fails('EROFS', 'READ_ONLY', (call) => writing(call) && call !== 'fsync' && call !== 'write')

export const FAULTS: readonly Fault[] = [
  FULL,
  BROKEN,
  FORBIDDEN,
  fails('ESTALE', 'DISK_ERROR', anything),
  fails('EBUSY', 'DISK_ERROR', byPath),
  fails('EMFILE', 'DISK_ERROR', (call) => OPENING.has(call)),
  fails('EINTR', 'DISK_ERROR', (call) => ON_A_DESCRIPTOR.has(call) || BUSY_OR_NOT.has(call)),
  fails('EIO', 'DISK_ERROR', writing, 'after'),
  {
    ...fails('EIO', 'DISK_ERROR', (call) => call === 'read' || call === 'write', 'short'),
    name: 'a short count',
  },
  fromThenOn(FULL),
  fromThenOn(BROKEN),
  fromThenOn(FORBIDDEN),
  fromThenOn(READ_ONLY),
]
