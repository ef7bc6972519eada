/** The floors: the bare system calls, synchronous, in the order in which the library makes them. */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import koffi from 'koffi'

const libc = koffi.load(null)
const flock = libc.func('int flock(int fd, int operation)') as (fd: number, operation: number) => number
const getrusage = libc.func('int getrusage(int who, _Out_ uint8_t *usage)') as (
  who: number,
  usage: Buffer,
) => number

const RUSAGE_SELF = 0
const RUSAGE_CHILDREN = -1

const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4

export function lockAndRelease(path: string): void {
  const fd = fs.openSync(path, 'r')
  flock(fd, LOCK_EX | LOCK_NB)
  fs.closeSync(fd)
}

export function lockShared(fd: number): void {
  flock(fd, LOCK_SH | LOCK_NB)
}

/** Blocks the thread in the kernel until the lock is ours. */
export function lockWaiting(path: string): number {
  const fd = fs.openSync(path, 'r')
  while (flock(fd, LOCK_EX) !== 0);
  return fd
}

/** CPU seconds of this process and of its children that have ended. */
export function cpuSeconds(): number {
  return usedBy(RUSAGE_SELF) + usedBy(RUSAGE_CHILDREN)
}

/** Of those children alone, and theirs. */
export function cpuSecondsOfChildren(): number {
  return usedBy(RUSAGE_CHILDREN)
}

/** getrusage(2): user and system time, a timeval each. */
function usedBy(who: number): number {
  const usage = Buffer.alloc(256)
  getrusage(who, usage)
  const [user, system] = [0, 16].map((at) => usage.readInt32LE(at) + usage.readInt32LE(at + 8) / 1e6)
  return user! + system!
}

export function writeNew(path: string, bytes: Uint8Array, sync: boolean): void {
  const fd = fs.openSync(path, 'wx')
  for (let done = 0; done < bytes.byteLength;)
    done += fs.writeSync(fd, bytes, done, bytes.byteLength - done, null)
  if (sync) fs.fsyncSync(fd)
  fs.closeSync(fd)
}

export function syncPath(path: string): void {
  const fd = fs.openSync(path, 'r')
  fs.fsyncSync(fd)
  fs.closeSync(fd)
}

export function publishFile(stage: string, target: string, bytes: Uint8Array): void {
  writeNew(stage, bytes, true)
  fs.renameSync(stage, target)
  syncPath(dirname(target))
}

/** A directory of one file and a manifest of it, with the fsyncs that an entry gets. */
export function publishEntry(
  stage: string,
  target: string,
  bytes: Uint8Array,
  manifestOf: (bytes: Uint8Array) => string,
): void {
  fs.mkdirSync(`${stage}/files`, { recursive: true })
  writeNew(`${stage}/files/graph.bin`, bytes, true)
  writeNew(`${stage}/MANIFEST.json`, Buffer.from(manifestOf(bytes)), true)
  syncPath(`${stage}/files`)
  syncPath(stage)
  fs.renameSync(stage, target)
  syncPath(dirname(target))
}

const fsync = promisify(fs.fsync)

/** The same calls, with fsync in libuv's pool: two hops between threads, and the event loop is free meanwhile. */
export async function publishFileInPool(stage: string, target: string, bytes: Uint8Array): Promise<void> {
  const fd = fs.openSync(stage, 'wx')
  for (let done = 0; done < bytes.byteLength;)
    done += fs.writeSync(fd, bytes, done, bytes.byteLength - done, null)
  await fsync(fd)
  fs.closeSync(fd)
  fs.renameSync(stage, target)
  const parent = fs.openSync(dirname(target), 'r')
  await fsync(parent)
  fs.closeSync(parent)
}

/** What a hit needs: the manifest read and parsed, one stat a file. */
export function lookUp(entry: string): void {
  const fd = fs.openSync(`${entry}/MANIFEST.json`, 'r')
  const bytes = Buffer.allocUnsafe(fs.fstatSync(fd).size)
  fs.readSync(fd, bytes, 0, bytes.length, 0)
  const { body } = JSON.parse(bytes.toString('utf8')) as { body: { files: { path: string }[] } }
  for (const file of body.files) fs.lstatSync(`${entry}/files/${file.path}`)
  fs.closeSync(fd)
}

/** Brings all files to the device, `concurrency` at a time, then the directory. */
export async function syncFiles(directory: string, names: string[], concurrency: number): Promise<void> {
  const queue = names.values()
  const syncSome = async (): Promise<void> => {
    for (const name of queue) {
      const fd = fs.openSync(`${directory}/${name}`, 'r')
      if (concurrency === 1) fs.fsyncSync(fd)
      else await fsync(fd)
      fs.closeSync(fd)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, syncSome))
  syncPath(directory)
}
