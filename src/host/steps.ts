/**
 * A routine of read-only calls that is written once and run in either of two ways: in one go in the calling thread
 * (local file systems: a hit costs 15 µs so, and twice that with a promise for every call), or call by call in
 * libuv's pool (network file systems). The routine is a generator that yields the calls it wants.
 */
import type { Dirent } from 'node:fs'
import type { Disk, Stats } from './disk.js'

export interface ReadCalls {
  openRead(path: string): number
  close(fd: number): void
  fstat(fd: number): Stats
  lstat(path: string): Stats
  read(fd: number, into: Uint8Array, position: number): number
  readdir(path: string): Dirent[]
}

/** What only some hosts can, and whoever wants it can do without. */
export interface QuickCalls extends ReadCalls {
  /** As `openRead`, of what no link leads to, neither at the end of the path nor on the way; else `null`. */
  openNoLinks?(path: string): number | null
}

type Name = keyof ReadCalls
interface Step<N extends string> {
  name: N
  args: readonly unknown[]
}

/** A routine that ends in a `T`. Errors of a call are thrown where it was yielded. */
export type Steps<T, N extends string = Name> = Generator<Step<N>, T, unknown>

/** `const stats = yield* step('lstat', path)` */
export function* step<N extends Name>(
  name: N,
  ...args: Parameters<ReadCalls[N]>
): Steps<ReturnType<ReadCalls[N]>> {
  return (yield { name, args }) as ReturnType<ReadCalls[N]>
}

/** Runs in one go where the disk can, and then returns the value itself, not a promise of it. */
export function run<T>(disk: Disk, steps: Steps<T>): T | Promise<T> {
  if (disk.inThread) return runAtOnce(disk.inThread, steps)
  return runInPool(disk as unknown as Table<Name>, steps)
}

/** In one go, and nothing else. */
export function runAtOnce<T>(calls: ReadCalls, steps: Steps<T>): T {
  return runInThread(calls as unknown as Table<Name>, steps)
}

type Table<N extends string> = Record<N, (...args: readonly unknown[]) => unknown>

/** @param table makes the calls at once */
export function runInThread<T, N extends string>(table: Table<N>, steps: Steps<T, N>): T {
  let next = steps.next()
  while (!next.done) {
    let value: unknown
    try {
      value = table[next.value.name](...next.value.args)
    } catch (error) {
      next = steps.throw(error)
      continue
    }
    next = steps.next(value)
  }
  return next.value
}

/** @param table makes promises of the calls */
export async function runInPool<T, N extends string>(table: Table<N>, steps: Steps<T, N>): Promise<T> {
  let next = steps.next()
  while (!next.done) {
    let value: unknown
    try {
      value = await table[next.value.name](...next.value.args)
    } catch (error) {
      next = steps.throw(error)
      continue
    }
    next = steps.next(value)
  }
  return next.value
}
