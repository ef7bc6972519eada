/** One of the two processes that contend: what each lock, and each call that locks are made of, does between them. */
import { isLatchError } from '../core/errors.js'
import { pooledDisk as disk } from '../host/disk.js'
import { isErrno } from '../host/disk-errors.js'
import type { Host } from '../host/host.js'
import { readSmallFile } from '../host/small-file.js'
import { createKernelLocker, kernelMechanism } from '../lock/kernel.js'
import type { Lease, Locker } from '../lock/locker.js'
import { createLockfileLocker } from '../lock/lockfile.js'

export type LockKind = 'kernel' | 'lockfile'
export type RaceKind = 'create' | 'mkdir' | 'rename'

const MAX_TEXT_BYTES = 64 * 1024
/** Between two hosts: each look is a question to the server. */
const POLL_MS = 20

export function contender(host: Host) {
  let lease: Lease | undefined

  /** No gate: that is a kernel lock of this host's, and would exclude where the network lock does not. */
  const lockers: Record<LockKind, () => Locker> = {
    kernel: () => createKernelLocker(host, disk),
    lockfile: () => createLockfileLocker(host, disk, { gateDirectory: null }),
  }

  async function renameOnto(path: string): Promise<void> {
    const own = `${path}-${host.processes.token()}`
    await disk.mkdir(own)
    await disk.close(await disk.createExclusive(`${own}/file`, 0o666))
    await disk.rename(own, path)
  }

  const races: Record<RaceKind, (path: string) => Promise<void>> = {
    create: async (path) => disk.close(await disk.createExclusive(path, 0o666)),
    mkdir: (path) => disk.mkdir(path),
    rename: renameOnto,
  }

  return {
    /** Without waiting; `false`: somebody else holds it. @throws where it cannot be had at all */
    async take(kind: LockKind, path: string): Promise<boolean> {
      try {
        lease = await lockers[kind]().acquire(path, { timeoutMs: 0, alone: true })
        return true
      } catch (error) {
        if (isLatchError(error, 'WAIT_TIMEOUT')) return false
        throw error
      }
    },

    async letGo(): Promise<void> {
      await lease?.release()
    },

    /** flock on what is there already, for the life of this process: where nothing can be written. */
    async holdExisting(path: string): Promise<boolean> {
      return kernelMechanism(host).shares!.claim(await disk.openRead(path))
    },

    /** Tries to be the first at each of `count` names; resolves to those at which it was. */
    async race(kind: RaceKind, directory: string, count: number): Promise<number[]> {
      const won: number[] = []
      for (let n = 0; n < count; n++) {
        try {
          await races[kind](`${directory}/${kind}-${n}`)
          won.push(n)
        } catch (error) {
          if (!isErrno(error, 'EEXIST', 'ENOTEMPTY', 'EBUSY')) throw error
        }
      }
      return won
    },

    async write(path: string, text: string): Promise<void> {
      const fd = await disk.createExclusive(path, 0o666)
      try {
        await disk.write(fd, Buffer.from(text))
      } finally {
        await disk.close(fd)
      }
    },

    rename: (from: string, to: string): Promise<void> => disk.rename(from, to),

    /** Looks until the file is there; `null`: it has not come, for `limitMs`. */
    async hears(path: string, limitMs: number): Promise<string | null> {
      const end = host.clock.now() + limitMs
      for (;;) {
        const text = await textOf(path)
        if (text !== null || host.clock.now() > end) return text
        await host.clock.sleep(POLL_MS)
      }
    },

    /** Looks until the file says `text`; `false`: it has not, for `limitMs`. */
    async sees(path: string, text: string, limitMs: number): Promise<boolean> {
      const end = host.clock.now() + limitMs
      while ((await textOf(path)) !== text) {
        if (host.clock.now() > end) return false
        await host.clock.sleep(1)
      }
      return true
    },
  }
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readSmallFile(disk, path, MAX_TEXT_BYTES)
  } catch {
    return null // Not visible yet.
  }
}
