/** Everything outside the library's own code, in one value that is passed along: tests replace parts of it. */
import { type Clock, realClock } from './clock.js'
import { type Disk, directDisk, pooledDisk } from './disk.js'
import { type FileSystem, inspectFileSystem } from './filesystem.js'
import { type Native, loadNative } from './native.js'
import { type Processes, realProcesses } from './process.js'

export interface Host {
  clock: Clock
  processes: Processes
  native: Native | null
  inspect(directory: string): FileSystem
  diskFor(fileSystem: FileSystem): Disk
}

let shared: Host | undefined

/** The real one: made once a process, at the first use. */
export function realHost(): Host {
  return (shared ??= {
    clock: realClock,
    processes: realProcesses(),
    native: loadNative(),
    inspect: inspectFileSystem,
    diskFor: (fileSystem) => (fileSystem.locality === 'local' ? directDisk : pooledDisk),
  })
}
