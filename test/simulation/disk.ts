/** `Disk` for a simulated process. write-file-atomic and rm(1) make the same calls, in their order. */
import fs from 'node:fs'
import type { Disk } from '../../src/host/disk.js'
import { attempt, orElse } from '../../src/host/disk-errors.js'
import type { ReadCalls } from '../../src/host/steps.js'
import type { Process, ThreadName } from './process.js'

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants
export const OPEN_READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW

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

/** In one go with what the process does next. */
export function readCallsOf(process: Process): ReadCalls {
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
