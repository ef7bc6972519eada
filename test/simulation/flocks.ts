/**
 * flock(2): a lock belongs to an open file description, and is gone with it. A kernel knows its own descriptions only:
 * on a file system that several machines share, each excludes its own (NFS with `local_lock=all`, Lustre `localflock`).
 */
import type { Inode } from './volume.js'

export interface OpenFile {
  inode: Inode
  dev: number
  /** As it was opened. */
  path: string
  /** In how many tables of processes it is: a child has it from its parent. */
  shared: number
  writes: boolean
  appends: boolean
  position: number
  lock: 'exclusive' | 'shared' | null
}

interface Waiter {
  file: OpenFile
  mode: 'exclusive' | 'shared'
  granted: () => void
}

export class Flocks {
  readonly #holders = new Map<Inode, Set<OpenFile>>()
  readonly #waiters = new Map<Inode, Waiter[]>()

  /** `false`: another has it. Changing the mode of a lock lets it go first, as the kernel does. */
  try(file: OpenFile, mode: 'exclusive' | 'shared'): boolean {
    if (file.lock === mode) return true
    this.unlock(file)
    const holders = this.#holders.get(file.inode) ?? new Set()
    const isFree =
      mode === 'shared' ? [...holders].every(({ lock }) => lock === 'shared') : holders.size === 0
    if (!isFree) return false
    file.lock = mode
    this.#holders.set(file.inode, holders.add(file))
    return true
  }

  /** @param granted called once, when the file has it. Returns the way to give up. */
  wait(file: OpenFile, mode: 'exclusive' | 'shared', granted: () => void): () => void {
    if (this.try(file, mode)) {
      granted()
      return () => undefined
    }
    const waiter = { file, mode, granted }
    const waiters = this.#waiters.get(file.inode) ?? []
    this.#waiters.set(file.inode, waiters)
    waiters.push(waiter)
    return () => {
      const index = waiters.indexOf(waiter)
      if (index >= 0) waiters.splice(index, 1)
    }
  }

  /** Closed: nobody waits with it any more. */
  close(file: OpenFile): void {
    const waiters = this.#waiters.get(file.inode)
    for (const waiter of waiters?.filter((each) => each.file === file) ?? [])
      waiters!.splice(waiters!.indexOf(waiter), 1)
    this.unlock(file)
  }

  unlock(file: OpenFile): void {
    if (file.lock === null) return
    file.lock = null
    this.#holders.get(file.inode)?.delete(file)
    const waiters = this.#waiters.get(file.inode) ?? []
    for (let [next] = waiters; next && this.try(next.file, next.mode); [next] = waiters) {
      waiters.shift()
      next.granted()
    }
  }
}
