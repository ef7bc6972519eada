/** Everything outside the library's own code, in one value that is passed along: tests replace parts of it. */
import { type Appending, realAppending } from './append-file.js'
import { type Clock, realClock } from './clock.js'
import { type Directories, realDirectories } from './directories.js'
import { type Disk, directDisk, openingBy, pooledDisk } from './disk.js'
import { type FileSystem, inspectFileSystem } from './filesystem.js'
import { type FlockCommand, realFlockCommand } from './flock-command.js'
import { type LockFiles, realLockFiles } from './lock-file.js'
import { type Native, loadNative } from './native.js'
import { type PrivateDirectories, realPrivateDirectories } from './private-directory.js'
import { type Processes, realProcesses } from './process.js'
import { type StartThread, startThread } from './thread.js'

export interface Host {
  clock: Clock
  processes: Processes
  native: Native | null
  flockCommand: FlockCommand
  lockFiles: LockFiles
  directories: Directories
  privateDirectories: PrivateDirectories
  appending: Appending
  /** For local file systems. */
  directDisk: Disk
  /** For network file systems, and wherever it is not known yet what is there. */
  pooledDisk: Disk
  inspect(directory: string): FileSystem
  diskFor(fileSystem: FileSystem): Disk
  startThread: StartThread
}

let shared: Host | undefined

/** The real one: made once a process, at the first use. */
export function realHost(): Host {
  return (shared ??= makeHost(loadNative()))
}

function makeHost(native: Native | null): Host {
  const localDisk = native === null ? directDisk : openingBy(native)
  return {
    clock: realClock,
    processes: realProcesses(),
    native,
    flockCommand: realFlockCommand,
    lockFiles: realLockFiles,
    directories: realDirectories,
    privateDirectories: realPrivateDirectories(native),
    appending: realAppending,
    directDisk: localDisk,
    pooledDisk,
    inspect: inspectFileSystem,
    diskFor: (fileSystem) => (fileSystem.locality === 'local' ? localDisk : pooledDisk),
    startThread,
  }
}
