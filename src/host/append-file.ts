/**
 * Appending to a file that several processes of one host append to. One write(2) on a descriptor with O_APPEND is one
 * piece on a local file system: Linux holds the inode's lock while it finds the end and writes. Clients of a network
 * file system know the end each by itself, so hosts must not share a file.
 *
 * The directory is made where only it is missing. Never through a link, at it or at the one above; never to what is no
 * regular file. What a full disk cuts off is not taken back: each text begins with a newline, so that another's torn end
 * costs that other only.
 */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { LatchError } from '../core/errors.js'
import { isErrno } from './disk-errors.js'
import { inPool } from './pool.js'
import { thisHostAndUser } from './process.js'
import { type Steps, runInPool, runInThread } from './steps.js'

const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants
const OPEN = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK
// Never O_CREAT on an existing file: see lock-file.ts.
const CREATE = OPEN | O_CREAT | O_EXCL

export interface Appending {
  /** In the calling thread, some 30 µs on a local file system; also while the process exits. @throws errno errors */
  appendNow(path: string, text: string): void
  /** In libuv's pool, for network file systems. @throws errno errors */
  append(path: string, text: string): Promise<void>
  /** For names of files that one host and one user have to themselves: `3f1c09be77aa.1000`. */
  hostAndUser(): string
}

export type AppendCall = 'lstat' | 'mkdir' | 'open' | 'fstat' | 'write' | 'close'
type Call = (...args: readonly unknown[]) => unknown

const calls = fs as unknown as Record<string, Call>
const inThread = {} as Record<AppendCall, Call>
const pooled = {} as Record<AppendCall, Call>
for (const name of ['lstat', 'mkdir', 'open', 'fstat', 'write', 'close'] as const) {
  inThread[name] = (...args) => calls[`${name}Sync`]!(...args)
  pooled[name] = (...args) => inPool(name, ...args)
}

export const realAppending: Appending = {
  appendNow: (path, text) => runInThread(inThread, appending(path, text)),
  append: (path, text) => runInPool(pooled, appending(path, text)),
  hostAndUser: thisHostAndUser,
}

function* call(name: AppendCall, ...args: unknown[]): Steps<unknown, AppendCall> {
  return yield { name, args }
}

/** The calls of one append, in their order. */
export function* appending(path: string, text: string): Steps<void, AppendCall> {
  if (!((yield* call('lstat', dirname(dirname(path)))) as fs.Stats).isDirectory()) throw unsafe(path)
  yield* checkDirectory(dirname(path))
  const fd = yield* opening(path)
  try {
    const stats = (yield* call('fstat', fd)) as fs.Stats
    // A second name: it may be a file of somebody else's, elsewhere.
    if (!stats.isFile() || stats.nlink > 1) throw unsafe(path)
    yield* call('write', fd, Buffer.from(`\n${text}`))
  } finally {
    yield* call('close', fd)
  }
}

function* checkDirectory(path: string): Steps<void, AppendCall> {
  try {
    if (!((yield* call('lstat', path)) as fs.Stats).isDirectory()) throw unsafe(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    yield* makeDirectory(path)
  }
}

function* makeDirectory(path: string): Steps<void, AppendCall> {
  try {
    yield* call('mkdir', path)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    // By another process, in this very moment.
    if (!((yield* call('lstat', path)) as fs.Stats).isDirectory()) throw unsafe(path)
  }
}

function* opening(path: string): Steps<unknown, AppendCall> {
  try {
    return yield* call('open', path, OPEN)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
  try {
    return yield* call('open', path, CREATE, 0o666)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return yield* call('open', path, OPEN)
    throw error
  }
}

function unsafe(path: string): LatchError {
  return new LatchError('UNSAFE_PATH', `Something else stands there: ${path}`, {
    hint: 'Somebody else put it there: look at it, then remove it.',
    path,
  })
}
