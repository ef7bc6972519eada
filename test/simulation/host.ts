/**
 * `Host` for a simulated process. What is not the library's own code here, and stands for: write-file-atomic and
 * fs-extra (the same calls, in their order), flock(1), the thread in which hearts beat (their code is the library's and
 * proper-lockfile's own; what is simulated is that messages take time), private directories, random bits.
 */
import fs from 'node:fs'
import type { Owner } from '../../src/core/owner.js'
import { type AppendCall, appending } from '../../src/host/append-file.js'
import type { Clock } from '../../src/host/clock.js'
import type { Disk } from '../../src/host/disk.js'
import { attempt, isErrno, orElse } from '../../src/host/disk-errors.js'
import type { FileSystem } from '../../src/host/filesystem.js'
import type { Host } from '../../src/host/host.js'
import { lockFilesOver } from '../../src/host/lock-file.js'
import type { ReadCalls } from '../../src/host/steps.js'
import { runInPool, runInThread } from '../../src/host/steps.js'
import type { StartThread } from '../../src/host/thread.js'
import type { HeartNews, HeartRequest } from '../../src/lock/heartbeat.js'
import { Hearts } from '../../src/lock/hearts.js'
import type { Process, ThreadName } from './process.js'
import { properLockfileOver } from './proper-lockfile.js'

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants
const OPEN_READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW

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

function clockOf(process: Process, thread: ThreadName): Clock {
  const { machine } = process
  return {
    now: () => machine.now(),
    nowNs: () => BigInt(Math.round(machine.now() * 1e6)),
    wallTime: () => Math.floor(machine.wallTime()),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error)
        const abort = (): void => {
          cancel()
          reject(signal!.reason as Error)
        }
        const cancel = process.later(thread, ms, () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        })
        signal?.addEventListener('abort', abort, { once: true })
      }),
    later: (ms, tick) => process.later(thread, ms, tick),
  }
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
    token: () => world.chance.hex(16),
    random: () => world.chance.next(),
    atExit: (work) => {
      process.lastWords.add(work)
      return () => void process.lastWords.delete(work)
    },
  }
}

/** The calls on one disk, made by one thread. */
export function diskOf(process: Process, thread: ThreadName): Disk {
  const { calls } = process
  const call = <T>(name: string, paths: readonly unknown[], effect: () => T): Promise<T> =>
    process.call(thread, name, paths, effect)
  const disk: Disk = {
    openRead: (path) => call('open', [path], () => calls.open(path, OPEN_READ)),
    createExclusive: (path, mode) => call('create', [path], () => calls.open(path, CREATE, mode)),
    close: (fd) => call('close', [fd], () => calls.close(fd)),
    fstat: (fd) => call('fstat', [fd], () => calls.fstat(fd)),
    lstat: (path) => call('lstat', [path], () => calls.lstat(path)),
    read: (fd, into, position) => call('read', [fd], () => calls.read(fd, into, position)),
    write: (fd, bytes) => call('write', [fd], () => calls.write(fd, bytes)),
    sync: (fd) => call('fsync', [fd], () => calls.fsync(fd)),
    rename: (from, to) => call('rename', [from, to], () => calls.rename(from, to)),
    link: (from, to) => call('link', [from, to], () => calls.link(from, to)),
    copy: (from, to) => call('copy', [from, to], () => calls.copy(from, to)),
    symlink: (target, path) => call('symlink', [target, path], () => calls.symlink(target, path)),
    unlink: (path) => call('unlink', [path], () => calls.unlink(path)),
    mkdir: (path, mode) => call('mkdir', [path], () => calls.mkdir(path, mode)),
    rmdir: (path) => call('rmdir', [path], () => calls.rmdir(path)),
    readdir: (path) => call('readdir', [path], () => calls.readdir(path)),
    readlink: (path) => call('readlink', [path], () => calls.readlink(path)),
    chmod: (path, mode) => call('chmod', [path], () => calls.chmod(path, mode)),
    utimes: (path, seconds) => call('utimes', [path], () => calls.utimes(path, seconds)),
    writeWhole: (path, text) => writeWhole(disk, path, text),
    removeTree: (path) => removeTree(disk, path),
  }
  return disk
}

/** As write-file-atomic does. */
async function writeWhole(disk: Disk, path: string, text: string): Promise<void> {
  const draft = `${path}.4711`
  try {
    const fd = await disk.createExclusive(draft, 0o666)
    try {
      await disk.write(fd, Buffer.from(text))
    } finally {
      await disk.close(fd)
    }
    await disk.rename(draft, path)
  } catch (error) {
    await attempt(disk.unlink(draft))
    throw error
  }
}

/** As rm(1) does with -rf. */
async function removeTree(disk: Disk, path: string): Promise<void> {
  const stats = await orElse(disk.lstat(path), null, 'ENOENT')
  if (stats === null) return
  if (!stats.isDirectory()) return orElse(disk.unlink(path), undefined, 'ENOENT')
  for (const { name } of await orElse(disk.readdir(path), [], 'ENOENT'))
    await removeTree(disk, `${path}/${name}`)
  await orElse(disk.rmdir(path), undefined, 'ENOENT')
}

function readCallsOf(process: Process): ReadCalls {
  const { calls } = process
  return {
    openRead: (path) => process.callNow('open', [path], () => calls.open(path, OPEN_READ)),
    close: (fd) => process.callNow('close', [fd], () => calls.close(fd)),
    fstat: (fd) => process.callNow('fstat', [fd], () => calls.fstat(fd)),
    lstat: (path) => process.callNow('lstat', [path], () => calls.lstat(path)),
    read: (fd, into, position) => process.callNow('read', [fd], () => calls.read(fd, into, position)),
    readdir: (path) => process.callNow('readdir', [path], () => calls.readdir(path)),
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

/** flock(1) has a process of its own, so it takes time to start, and is not stopped with the one that waits. */
function flockCommandOf(process: Process): Host['flockCommand'] {
  const { calls, world } = process
  const startMs = (): number => world.chance.between(1, 5)
  return {
    isThere: () => Promise.resolve(world.swarm.flockCommand),
    once: (fd, mode) =>
      new Promise((resolve) => {
        process.later('main', startMs(), () => resolve(calls.flock(fd, mode) ? 'locked' : 'busy'))
      }),
    waiting: (fd, mode, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error)
        let giveUp = (): void => undefined
        let ended = false
        const end = (how: () => void): void => {
          if (ended) return
          ended = true
          signal.removeEventListener('abort', abort)
          // The news that it has ended takes its time as well; somebody may have aborted by then.
          process.later('main', world.chance.between(0.1, 3), () =>
            signal.aborted ? reject(signal.reason as Error) : how(),
          )
        }
        const abort = (): void => {
          giveUp()
          end(() => reject(signal.reason as Error))
        }
        signal.addEventListener('abort', abort, { once: true })
        world.scheduler.after(startMs(), () => {
          if (!process.alive || ended) return
          giveUp = calls.flockWaiting(fd, mode, () => end(() => resolve('locked')))
        })
      }),
  }
}

function heartThreadOf(process: Process): StartThread {
  const clock = clockOf(process, 'heart')
  const timers = {
    setTimeout: (tick: () => void, ms: number) => process.later('heart', ms, tick),
    clearTimeout: (cancel: () => void) => cancel(),
    now: () => clock.wallTime(),
  }
  const latency = (): number => process.world.chance.between(0.01, 0.2) * process.slowness
  return <Request, News>(_file: URL, onNews: (news: News) => void) => {
    const tell = (news: HeartNews): void =>
      void process.later('main', latency(), () => onNews(news as unknown as News))
    const body = { disk: diskOf(process, 'heart'), clock, lock: properLockfileOver(timers) }
    const hearts = new Hearts(body, tell)
    const ask = (request: Request): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const reply = (settle: () => void): void => void process.later('main', latency(), settle)
        process.later('heart', latency(), () => {
          hearts.answer(request as unknown as HeartRequest).then(
            (value) => reply(() => resolve(value)),
            (error: Error) => reply(() => reject(error)),
          )
        })
      })
    return { ask }
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

function privateDirectory(process: Process): { path: string; fd: number; remove: () => void } {
  const { calls, world } = process
  const path = `/tmp/private-${world.chance.hex(4)}`
  calls.mkdir(path)
  const fd = calls.open(path, OPEN_READ)
  let removed = false
  return {
    path,
    fd,
    remove() {
      if (removed) return
      removed = true
      removeNow(process, path)
      calls.close(fd)
    },
  }
}

function removeNow(process: Process, path: string): void {
  const { calls } = process
  for (const child of calls.readdir(path))
    if (child.isDirectory()) removeNow(process, `${path}/${child.name}`)
    else calls.unlink(`${path}/${child.name}`)
  calls.rmdir(path)
}
