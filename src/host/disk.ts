/**
 * The calls that the library makes to a file system, and no others: a test puts a faulty world under everything
 * by wrapping this interface. Every method rejects with Node's errno errors.
 *
 * Invariants:
 * - Creation is always exclusive and never follows a symbolic link; nothing here truncates what exists.
 * - Opening for reading never follows a link in the last component and never blocks on a FIFO.
 * - `sync` returns when the kernel says that the data is on the device.
 */
import fs from 'node:fs'
import { constants } from 'node:os'
import type { Native } from './native.js'
import { namingRefusals } from './refusals.js'
import type { QuickCalls, ReadCalls } from './steps.js'
import { inPool } from './pool.js'
import { removeTree } from './trees.js'

export type Stats = fs.Stats

export interface Disk {
  /** The reading calls without a promise; only where they are quick. See steps.ts. */
  readonly inThread?: QuickCalls | undefined
  openRead(path: string): Promise<number>
  createExclusive(path: string, mode: number): Promise<number>
  close(fd: number): Promise<void>
  fstat(fd: number): Promise<Stats>
  lstat(path: string): Promise<Stats>
  /** Fills `into` from `position`; returns how many bytes there were, fewer only at the end of the file. */
  read(fd: number, into: Uint8Array, position: number): Promise<number>
  /** Writes every byte of `bytes` at the current position, however many calls that takes. */
  write(fd: number, bytes: Uint8Array): Promise<void>
  sync(fd: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  link(from: string, to: string): Promise<void>
  /** A copy of its own that shares blocks where the file system can; with mode. Fails with EEXIST where anything stands. */
  copy(from: string, to: string): Promise<void>
  symlink(target: string, path: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Fails with EEXIST where anything stands. */
  mkdir(path: string, mode?: number): Promise<void>
  rmdir(path: string): Promise<void>
  readdir(path: string): Promise<fs.Dirent[]>
  readlink(path: string): Promise<string>
  chmod(path: string, mode: number): Promise<void>
  /** Sets both times to `seconds` since 1970; of a link, its own. */
  utimes(path: string, seconds: number): Promise<void>
  /** A small file by write-file-atomic, without fsync. See small-file.ts for what it does not do. */
  writeWhole(path: string, text: string): Promise<void>
  /** Whatever is there, call by call; nothing there is fine. See trees.ts. */
  removeTree(path: string): Promise<void>
}

type Call = (name: string, ...args: unknown[]) => Promise<unknown>
const calls = fs as unknown as Record<string, (...args: unknown[]) => unknown>

/** In the calling thread: 2 to 30 µs a call on a local file system, where a hop to the pool costs 20 to 60. */
const direct: Call = async (name, ...args) => calls[`${name}Sync`]!(...args)

/** Node's own error of a name that is not there costs 11 µs, four times the call; and for most it is good news. */
function lstatInThread(path: string): Stats {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false })
  if (stats !== undefined) return stats
  throw Object.assign(new Error(`ENOENT: no such file or directory, lstat '${path}'`), NO_ENTRY, { path })
}

const NO_ENTRY = { errno: -constants.errno.ENOENT, code: 'ENOENT', syscall: 'lstat' }

/** For network file systems, where one call may take seconds, and for all that moves data. */
const pooled: Call = inPool

/** Up to this many bytes a transfer is done where the other calls are done: a memory copy of some 10 µs. */
const SMALL_TRANSFER_BYTES = 64 * 1024

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants
const COPY = fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE
const OPEN_READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK

/** For local file systems. */
export const directDisk: Disk = {
  ...diskOver(direct),
  lstat: async (path) => lstatInThread(path),
  inThread: readCalls(),
}
/** For network file systems, and wherever it is not known yet what is there. */
export const pooledDisk: Disk = namingRefusals(diskOver(pooled))

/** The disk of local file systems, which looks at a path and opens it in one call where the kernel can. */
export function openingBy({ openNoLinks }: Pick<Native, 'openNoLinks'>): Disk {
  return { ...directDisk, inThread: { ...readCalls(), openNoLinks } }
}

function readCalls(): ReadCalls {
  return {
    openRead: (path) => fs.openSync(path, OPEN_READ),
    close: (fd) => fs.closeSync(fd),
    fstat: (fd) => fs.fstatSync(fd),
    lstat: lstatInThread,
    read: (fd, into, position) => {
      let done = 0
      for (let count = -1; count !== 0 && done < into.byteLength; done += count) {
        count = fs.readSync(fd, into, done, into.byteLength - done, position + done)
      }
      return done
    },
    readdir: (path) => fs.readdirSync(path, { withFileTypes: true }),
  }
}

function diskOver(call: Call): Disk {
  const transfer = (bytes: Uint8Array): Call => (bytes.byteLength <= SMALL_TRANSFER_BYTES ? call : pooled)
  return {
    openRead: (path) => call('open', path, OPEN_READ) as Promise<number>,
    createExclusive: (path, mode) =>
      call('open', path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode) as Promise<number>,
    close: (fd) => call('close', fd) as Promise<void>,
    fstat: (fd) => call('fstat', fd) as Promise<Stats>,
    lstat: (path) => call('lstat', path) as Promise<Stats>,
    read: (fd, into, position) => readFully(transfer(into), fd, into, position),
    write: (fd, bytes) => writeFully(transfer(bytes), fd, bytes),
    sync: (fd) => pooled('fsync', fd) as Promise<void>,
    rename: (from, to) => call('rename', from, to) as Promise<void>,
    link: (from, to) => call('link', from, to) as Promise<void>,
    copy: (from, to) => pooled('copyFile', from, to, COPY) as Promise<void>,
    symlink: (target, path) => call('symlink', target, path) as Promise<void>,
    unlink: (path) => call('unlink', path) as Promise<void>,
    mkdir: (path, mode = 0o777) => call('mkdir', path, { mode }) as Promise<void>,
    rmdir: (path) => call('rmdir', path) as Promise<void>,
    readdir: (path) => call('readdir', path, { withFileTypes: true }) as Promise<fs.Dirent[]>,
    readlink: (path) => call('readlink', path) as Promise<string>,
    chmod: (path, mode) => call('chmod', path, mode) as Promise<void>,
    utimes: (path, seconds) => call('lutimes', path, seconds, seconds) as Promise<void>,
    writeWhole,
    removeTree,
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic')
  await writeFileAtomic(path, text, { fsync: false })
}

async function readFully(call: Call, fd: number, into: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < into.byteLength) {
    const count = (await call('read', fd, into, done, into.byteLength - done, position + done)) as number
    if (count === 0) break
    done += count
  }
  return done
}

/** Node refuses more than 2 GiB - 1 in one call, and Linux takes no more. */
const MAX_WRITE_BYTES = 1024 * 1024 * 1024

/** A full disk may take the first part of a write and refuse the rest: only the next call says ENOSPC. */
async function writeFully(call: Call, fd: number, bytes: Uint8Array): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const length = Math.min(bytes.byteLength - done, MAX_WRITE_BYTES)
    done += (await call('write', fd, bytes, done, length, null)) as number
  }
}
