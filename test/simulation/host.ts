/**
 * `Host` for a simulated process. What is not the library's own code here, and stands for: write-file-atomic and
 * fs-extra (the same calls, in their order), flock(1), the thread in which hearts beat (their code is the library's and
 * proper-lockfile's own; what is simulated is that messages take time), private directories, random bits.
 */
import type { Owner } from '../../src/core/owner.js'
import { type AppendCall, appending } from '../../src/host/append-file.js'
import { isErrno } from '../../src/host/disk-errors.js'
import type { FileSystem } from '../../src/host/filesystem.js'
import type { Host } from '../../src/host/host.js'
import { lockFilesOver } from '../../src/host/lock-file.js'
import type { OpenFiles } from '../../src/host/open-files.js'
import { runInPool, runInThread } from '../../src/host/steps.js'
import { clockOf } from './clock.js'
import { diskOf, readCallsOf } from './disk.js'
import { flockCommandOf } from './flock-command.js'
import { heartThreadOf } from './heart-thread.js'
import { privateDirectory } from './private-directory.js'
import type { Process } from './process.js'

export function hostOf(process: Process): Host {
  const { world, calls } = process
  const { swarm } = world
  const pooledDisk = diskOf(process, 'main')
  const directDisk = { ...pooledDisk, inThread: swarm.inThread ? readCallsOf(process) : undefined }
  const native = {
    flock: (fd: number, mode: 'exclusive' | 'shared') =>
      process.callNow('flock', [fd, mode], () => calls.flock(fd, mode)),
    funlock: (fd: number) => process.callNow('funlock', [fd], () => calls.funlock(fd)),
    openNoLinks: () => null,
    exchange: (a: string, b: string) => {
      process.callNow('exchange', [a, b], () => calls.exchange(a, b))
      return true
    },
  }
  return {
    clock: clockOf(process, 'main'),
    processes: processesOf(process),
    native: swarm.native ? native : null,
    flockCommand: flockCommandOf(process),
    lockFiles: lockFilesOver({
      open: (path, flags, mode) => process.callNow('open', [path], () => calls.open(path, flags, mode)),
      close: (fd) => process.callNow('close', [fd], () => calls.close(fd)),
      fstat: (fd) => calls.fstat(fd),
      lstat: (path) => {
        try {
          return process.callNow('lstat', [path], () => calls.lstat(path))
        } catch (error) {
          if (isErrno(error, 'ENOENT')) return undefined
          throw error
        }
      },
    }),
    directories: {
      gate: () => '/tmp/gates',
      uid: () => 0,
      real: (path) => (calls.lstat(path), path),
      makeReal: (path) => (makeDirectories(process, path), path),
      identity: () => null,
      freeBytes: () => (world.faults.isFull ? 0 : 1e12),
    },
    privateDirectories: {
      make: () => Promise.resolve(privateDirectory(process)),
      makeKept: () => Promise.resolve(privateDirectory(process).path),
    },
    appending: appendingOf(process),
    directDisk,
    pooledDisk,
    inspect: (path) => inspect(path, swarm.network),
    diskFor: ({ locality }) => (locality === 'local' ? directDisk : pooledDisk),
    startThread: heartThreadOf(process),
  }
}

function inspect(path: string, network: boolean): FileSystem {
  const isOurs = !path.startsWith('/tmp') && network
  const [type, locality] = isOurs ? (['nfs4', 'network'] as const) : (['ext4', 'local'] as const)
  return { type, locality, mountPoint: '/', options: [] }
}

function processesOf(process: Process): Host['processes'] {
  const { world, machine, pid, name } = process
  const startTime = `started-${pid}`
  return {
    bootId: machine.bootId,
    pidNamespace: machine.name,
    startTimeOf: (pid) => (world.isAlive(machine, pid) ? `started-${pid}` : null),
    asOwner: (since): Owner => ({
      pid,
      startTime,
      bootId: machine.bootId,
      pidNamespace: machine.name,
      host: machine.name,
      command: name,
      since,
    }),
    startedWith: (name, value) => world.startedWith(process, name, value).map((other) => other.pid),
    openFiles: (ourPath) => openFilesOf(process, ourPath),
    token: () => world.chance.hex(16),
    random: () => world.chance.next(),
    atExit: (work) => {
      process.lastWords.add(work)
      return () => void process.lastWords.delete(work)
    },
  }
}

function appendingOf(process: Process): Host['appending'] {
  const { calls, machine } = process
  const now: Record<AppendCall, (...args: readonly never[]) => unknown> = {
    lstat: (path: string) => calls.lstat(path),
    mkdir: (path: string) => calls.mkdir(path),
    open: (path: string, flags: number, mode: number) => calls.open(path, flags, mode),
    fstat: (fd: number) => calls.fstat(fd),
    write: (fd: number, bytes: Buffer) => calls.write(fd, bytes),
    close: (fd: number) => calls.close(fd),
  }
  const tableOf = (make: (name: AppendCall) => (...args: readonly unknown[]) => unknown) =>
    Object.fromEntries(Object.keys(now).map((name) => [name, make(name as AppendCall)])) as Record<
      AppendCall,
      (...args: readonly unknown[]) => unknown
    >
  const at =
    (name: AppendCall) =>
    (...args: readonly unknown[]): unknown =>
      now[name](...(args as never[]))
  const inThread = tableOf(
    (name) =>
      (...args) =>
        process.callNow(name, args, () => at(name)(...args)),
  )
  const inPool = tableOf(
    (name) =>
      (...args) =>
        process.call('main', name, args, () => at(name)(...args)),
  )
  return {
    appendNow: (path, text) => runInThread(inThread, appending(path, text)),
    append: (path, text) => runInPool(inPool, appending(path, text)),
    hostAndUser: () => `${machine.name}.0`,
  }
}

function makeDirectories(process: Process, path: string): void {
  let made = ''
  for (const name of path.split('/').slice(1)) {
    made += `/${name}`
    try {
      process.callNow('mkdir', [made], () => process.calls.mkdir(made))
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
    }
  }
}

/** What /proc tells: by the path under which a file was opened. */
function openFilesOf(
  process: Process,
  ourPath: (seen: string) => string | null,
): ReturnType<Host['processes']['openFiles']> {
  const { world, machine } = process
  const look = (): OpenFiles => {
    const files = world.processesOn(machine).flatMap(({ pid, calls }) =>
      calls.openFiles.flatMap(({ path: seen, writes, lock }) => {
        const path = ourPath(seen)
        return path === null ? [] : [{ path, pid, writes, lock, takenBy: null }]
      }),
    )
    return { files, hidden: new Set<number>(), complete: true }
  }
  return new Promise((resolve) => {
    process.later('main', world.chance.between(1, 20), () => resolve(look()))
  })
}
