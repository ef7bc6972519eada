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

type Name = keyof ReadCalls
type Step = { name: Name; args: readonly unknown[] }

/** A routine that ends in a `T`. Errors of a call are thrown where it was yielded. */
export type Steps<T> = Generator<Step, T, unknown>

/** `const stats = yield* step('lstat', path)` */
export function* step<N extends Name>(
  name: N,
  ...args: Parameters<ReadCalls[N]>
): Steps<ReturnType<ReadCalls[N]>> {
  return (yield { name, args }) as ReturnType<ReadCalls[N]>
}

/** Runs in one go where the disk can, and then returns the value itself, not a promise of it. */
export function run<T>(disk: Disk, steps: Steps<T>): T | Promise<T> {
  return disk.inThread ? runInThread(disk.inThread, steps) : runInPool(disk, steps)
}

function runInThread<T>(calls: ReadCalls, steps: Steps<T>): T {
  const table = calls as unknown as Record<Name, (...args: readonly unknown[]) => unknown>
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

async function runInPool<T>(disk: Disk, steps: Steps<T>): Promise<T> {
  const table = disk as unknown as Record<Name, (...args: readonly unknown[]) => Promise<unknown>>
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
