/** The system calls of one simulated process, as the kernel makes them: at once, whole, or with an errno. */
import fs, { type Dirent } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Stats } from '../../src/host/disk.js'
import type { Client } from './client.js'
import type { Flocks, OpenFile } from './flocks.js'
import { kindOf, statsOf } from './stats.js'
import type { Inode, Volume } from './volume.js'

const { O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_APPEND } = fs.constants

export class SystemCalls {
  readonly #files = new Map<number, OpenFile>()
  #nextFd = 10

  constructor(
    /** Where which path is. */
    private readonly volumeOf: (path: string) => Volume,
    private readonly flocks: Flocks,
    /** What is remembered of the disk on which a path is; `null`: it is this machine's own. */
    private readonly clientOf: (path: string) => Client | null,
  ) {}

  get openFiles(): OpenFile[] {
    return [...this.#files.values()]
  }

  /** A child has one of its parent's from the start. */
  inherit(fd: number, from: SystemCalls): void {
    const file = from.#file(fd)
    file.shared++
    this.#files.set(this.#nextFd++, file)
  }

  open(path: string, flags: number, mode = 0o666): number {
    const volume = this.volumeOf(path)
    let inode = this.#find(path)
    if (inode === null) {
      if (!(flags & O_CREAT)) throw errno('ENOENT', 'open', path)
      inode = this.#create(volume, path, 'file', mode)
    } else if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) throw errno('EEXIST', 'open', path)
    if (inode.kind === 'link') throw errno('ELOOP', 'open', path)
    this.clientOf(path)?.forget(inode)
    const writes = (flags & (O_WRONLY | O_RDWR)) !== 0
    if (writes && inode.kind === 'directory') throw errno('EISDIR', 'open', path)
    inode.opened++
    const appends = (flags & O_APPEND) !== 0
    const fd = this.#nextFd++
    this.#files.set(fd, { inode, dev: volume.dev, path, shared: 1, writes, appends, position: 0, lock: null })
    return fd
  }

  close(fd: number): void {
    const file = this.#file(fd)
    this.#files.delete(fd)
    if (--file.shared > 0) return
    this.flocks.close(file)
    file.inode.opened--
    this.#volumes(file.dev).freeIfGone(file.inode)
  }

  closeAll(): void {
    for (const fd of this.#files.keys()) this.close(fd)
  }

  fstat(fd: number): Stats {
    const { inode, dev } = this.#file(fd)
    return statsOf(inode, dev)
  }

  lstat(path: string): Stats {
    const inode = this.#find(path, 'remembered')
    if (inode === null) throw errno('ENOENT', 'lstat', path)
    const look = (): Stats => statsOf(inode, this.volumeOf(path).dev)
    return this.clientOf(path)?.statsOf(inode, look) ?? look()
  }

  read(fd: number, into: Uint8Array, position: number): number {
    const { inode } = this.#file(fd)
    if (inode.kind !== 'file') throw errno('EISDIR', 'read')
    return inode.bytes.copy(into, 0, position, position + into.byteLength)
  }

  write(fd: number, bytes: Uint8Array): void {
    const file = this.#file(fd)
    if (!file.writes) throw errno('EBADF', 'write')
    const { inode } = file
    const start = file.appends ? inode.bytes.length : file.position
    const before = inode.bytes.subarray(0, start)
    inode.bytes = Buffer.concat([before, bytes, inode.bytes.subarray(start + bytes.byteLength)])
    inode.mtimeMs = this.#volumes(file.dev).now()
    file.position = start + bytes.byteLength
  }

  fsync(fd: number): void {
    const { inode, dev } = this.#file(fd)
    this.#volumes(dev).sync(inode)
  }

  rename(from: string, to: string): void {
    const volume = this.volumeOf(from)
    if (volume !== this.volumeOf(to)) throw errno('EXDEV', 'rename', from, to)
    const [source, target] = [this.#parent(from), this.#parent(to)]
    const moved = source.names.get(basename(from))
    if (moved === undefined) throw errno('ENOENT', 'rename', from, to)
    const there = target.names.get(basename(to))
    if (there === moved) return
    if (there && there.kind === 'directory' && moved.kind !== 'directory')
      throw errno('EISDIR', 'rename', from, to)
    if (there && there.kind !== 'directory' && moved.kind === 'directory')
      throw errno('ENOTDIR', 'rename', from, to)
    if (there && there.names.size > 0) throw errno('ENOTEMPTY', 'rename', from, to)
    volume.bind(
      { directory: target, name: basename(to), inode: moved },
      { directory: source, name: basename(from), inode: null },
    )
    moved.ctimeMs = volume.now()
  }

  /** renameat2(RENAME_EXCHANGE) */
  exchange(a: string, b: string): void {
    const volume = this.volumeOf(a)
    const [first, second] = [this.#parent(a), this.#parent(b)]
    const [one, other] = [first.names.get(basename(a)), second.names.get(basename(b))]
    if (one === undefined || other === undefined) throw errno('ENOENT', 'renameat2', a, b)
    one.links++
    other.links++
    volume.bind(
      { directory: first, name: basename(a), inode: other },
      { directory: second, name: basename(b), inode: one },
    )
    one.links--
    other.links--
  }

  link(from: string, to: string): void {
    const inode = this.#find(from)
    if (inode === null) throw errno('ENOENT', 'link', from, to)
    if (this.#find(to) !== null) throw errno('EEXIST', 'link', from, to)
    this.volumeOf(to).bind({ directory: this.#parent(to), name: basename(to), inode })
  }

  copy(from: string, to: string): void {
    const inode = this.#find(from)
    if (inode === null) throw errno('ENOENT', 'copyfile', from, to)
    this.#create(this.volumeOf(to), to, 'file', inode.mode).bytes = inode.bytes
  }

  symlink(target: string, path: string): void {
    this.#create(this.volumeOf(path), path, 'link', 0o777).target = target
  }

  unlink(path: string): void {
    const inode = this.#find(path)
    if (inode === null) throw errno('ENOENT', 'unlink', path)
    if (inode.kind === 'directory') throw errno('EISDIR', 'unlink', path)
    this.#unbind(path)
  }

  mkdir(path: string, mode = 0o777): void {
    this.#create(this.volumeOf(path), path, 'directory', mode)
  }

  rmdir(path: string): void {
    const inode = this.#find(path)
    if (inode === null) throw errno('ENOENT', 'rmdir', path)
    if (inode.kind !== 'directory') throw errno('ENOTDIR', 'rmdir', path)
    if (inode.names.size > 0) throw errno('ENOTEMPTY', 'rmdir', path)
    this.#unbind(path)
  }

  readdir(path: string): Dirent[] {
    const inode = this.#find(path, 'remembered')
    if (inode === null) throw errno('ENOENT', 'scandir', path)
    if (inode.kind === 'link') throw errno('ENOTDIR', 'scandir', path)
    if (inode.kind !== 'directory') throw errno('ENOTDIR', 'scandir', path)
    const names = this.clientOf(path)?.list(inode) ?? [...inode.names]
    return names.map(([name, child]) => Object.assign(kindOf(child), { name }) as Dirent)
  }

  readlink(path: string): string {
    const inode = this.#find(path)
    if (inode === null) throw errno('ENOENT', 'readlink', path)
    if (inode.kind !== 'link') throw errno('EINVAL', 'readlink', path)
    return inode.target
  }

  chmod(path: string, mode: number): void {
    const inode = this.#find(path)
    if (inode === null) throw errno('ENOENT', 'chmod', path)
    inode.mode = mode
    this.clientOf(path)?.forget(inode)
  }

  utimes(path: string, seconds: number): void {
    const inode = this.#find(path)
    if (inode === null) throw errno('ENOENT', 'utime', path)
    inode.mtimeMs = seconds * 1000
    inode.ctimeMs = this.volumeOf(path).now()
    this.clientOf(path)?.forget(inode)
  }

  flock(fd: number, mode: 'exclusive' | 'shared'): boolean {
    return this.flocks.try(this.#file(fd), mode)
  }

  /** @param granted called once it has it. Returns the way to give up. */
  flockWaiting(fd: number, mode: 'exclusive' | 'shared', granted: () => void): () => void {
    return this.flocks.wait(this.#file(fd), mode, granted)
  }

  funlock(fd: number): void {
    this.flocks.unlock(this.#file(fd))
  }

  #volumes(dev: number): Volume {
    return [this.volumeOf('/'), this.volumeOf('/tmp')].find((volume) => volume.dev === dev)!
  }

  #file(fd: number): OpenFile {
    const file = this.#files.get(fd)
    if (file === undefined) throw errno('EBADF', 'close')
    return file
  }

  #create(volume: Volume, path: string, kind: Inode['kind'], mode: number): Inode {
    const directory = this.#parent(path)
    if (directory.names.has(basename(path))) throw errno('EEXIST', 'open', path)
    if (directory.links === 0) throw errno('ENOENT', 'open', path)
    const inode = volume.make(kind, mode & ~0o022)
    volume.bind({ directory, name: basename(path), inode })
    return inode
  }

  #unbind(path: string): void {
    this.volumeOf(path).bind({ directory: this.#parent(path), name: basename(path), inode: null })
  }

  /** Of a name that is changed: the server is asked, and what was remembered is worth nothing any more. */
  #parent(path: string): Inode {
    const inode = this.#find(dirname(path), 'remembered')
    if (inode === null) throw errno('ENOENT', 'open', path)
    if (inode.kind !== 'directory') throw errno('ENOTDIR', 'open', path)
    this.clientOf(path)?.forget(inode)
    return inode
  }

  #find(path: string, last: 'asked' | 'remembered' = 'asked'): Inode | null {
    const client = this.clientOf(path)
    const found = this.#walk(path, client, last)
    if (found !== 'stale') return found
    client!.forgetAll()
    return this.#walk(path, null, last) as Inode | null
  }

  /** `stale`: something that is remembered is no more. */
  #walk(path: string, client: Client | null, last: 'asked' | 'remembered'): Inode | null | 'stale' {
    let inode = this.volumeOf(path).root
    const names = path.split('/').filter((name) => name !== '')
    for (const [index, name] of names.entries()) {
      if (inode.kind !== 'directory') throw errno('ENOTDIR', 'open', path)
      const asks = last === 'asked' && index === names.length - 1
      const next = client === null ? inode.names.get(name) : client.lookUp(inode, name, asks)
      if (next === undefined) return null
      if (client !== null && next.kind === 'directory' && next.links === 0) return 'stale'
      inode = next
    }
    return inode
  }
}

export function errno(code: string, syscall: string, ...paths: string[]): NodeJS.ErrnoException {
  // Its stack tells nothing that the trace does not, and is most of what it costs.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new Error(`${code}: simulated, ${syscall} ${paths.join(' -> ')}`)
  Error.stackTraceLimit = stackTraceLimit
  return Object.assign(error, { code, syscall })
}
