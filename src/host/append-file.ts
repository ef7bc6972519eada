/**
 * Appending to a file that several processes of one host append to. One write(2) on a descriptor with O_APPEND is one
 * piece on a local file system: Linux holds the inode's lock while it finds the end and writes. Clients of a network
 * file system know the end each by itself, so hosts must not share a file.
 *
 * The directory is made where only it is missing. Never through a link, never to what is no regular file. What a full disk cuts off is not taken back: each text
 * begins with a newline, so that another's torn end costs that other only.
 */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { LatchError } from '../core/errors.js'
import { isErrno } from './disk-errors.js'

const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants
const OPEN = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK
// Never O_CREAT on an existing file: see lock-file.ts.
const CREATE = OPEN | O_CREAT | O_EXCL

type Name = 'lstat' | 'mkdir' | 'open' | 'fstat' | 'write' | 'close'
/** Written once, run in either of two ways, as in steps.ts. */
type Appending<T> = Generator<[Name, ...unknown[]], T, unknown>

const calls = fs as unknown as Record<string, (...args: unknown[]) => unknown>
const pool: Record<string, (...args: unknown[]) => Promise<unknown>> = {}

/** In the calling thread, some 30 µs on a local file system; also while the process exits. @throws errno errors */
export function appendNow(path: string, text: string): void {
  const steps = appending(path, text)
  let next = steps.next()
  while (!next.done) {
    const [name, ...args] = next.value
    let value: unknown
    try {
      value = calls[`${name}Sync`]!(...args)
    } catch (error) {
      next = steps.throw(error)
      continue
    }
    next = steps.next(value)
  }
}

/** In libuv's pool, for network file systems. @throws errno errors */
export async function append(path: string, text: string): Promise<void> {
  const steps = appending(path, text)
  let next = steps.next()
  while (!next.done) {
    const [name, ...args] = next.value
    let value: unknown
    try {
      value = await (pool[name] ??= promisify(calls[name]!))(...args)
    } catch (error) {
      next = steps.throw(error)
      continue
    }
    next = steps.next(value)
  }
}

function* appending(path: string, text: string): Appending<void> {
  yield* checkDirectory(dirname(path))
  const fd = yield* opening(path)
  try {
    if (!((yield ['fstat', fd]) as fs.Stats).isFile()) throw unsafe(path)
    yield ['write', fd, Buffer.from(`\n${text}`)]
  } finally {
    yield ['close', fd]
  }
}

function* checkDirectory(path: string): Appending<void> {
  try {
    if (!((yield ['lstat', path]) as fs.Stats).isDirectory()) throw unsafe(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    yield* makeDirectory(path)
  }
}

function* makeDirectory(path: string): Appending<void> {
  try {
    yield ['mkdir', path]
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    // By another process, in this very moment.
    if (!((yield ['lstat', path]) as fs.Stats).isDirectory()) throw unsafe(path)
  }
}

function* opening(path: string): Appending<unknown> {
  try {
    return yield ['open', path, OPEN]
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
  try {
    return yield ['open', path, CREATE, 0o666]
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return yield ['open', path, OPEN]
    throw error
  }
}

function unsafe(path: string): LatchError {
  return new LatchError('UNSAFE_PATH', `Something else stands there: ${path}`, {
    hint: 'Somebody else put it there: look at it, then remove it.',
    path,
  })
}
