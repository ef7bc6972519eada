/**
 * The gate: a kernel lock on the local disk in front of a network lock, so that of all contenders on a host one
 * goes to the network and the others wait without polling.
 *
 * It is also a death certificate. Whoever has the gate writes the token under which it is about to take the network
 * lock. The next one through the gate that finds this very token still holding knows that its holder is gone: the
 * kernel opened the gate when that process died, and a living one removes its token before it leaves the gate.
 * So a killed holder is succeeded at once on its own host; other hosts watch its heartbeat.
 *
 * The token is written together with the identity of the gate's file, and counts only behind that very file:
 *   A is in the gate and holds. A cleaner of temporary files deletes the gate's file, which is old, and leaves A's
 *   token, which is fresh. B makes a new gate, gets in at once, and reads A's token: A lives all the same.
 * A's file keeps its inode number for as long as A has it open, so B's gate cannot have the same.
 */
import { join } from 'node:path'
import type { Disk } from '../host/disk.js'
import { attempt, isErrno } from '../host/disk-errors.js'
import { sha256 } from '../host/hash.js'
import type { Host } from '../host/host.js'
import { readSmallFile } from '../host/small-file.js'
import { hasKernelLock, kernelMechanism } from './kernel.js'
import type { Held, Mechanism } from './mechanism.js'

export interface Gate {
  tryEnter(path: string): Promise<Pass | null>
  enter(path: string, signal: AbortSignal): Promise<Pass>
}

export interface Pass {
  /** The token that the last one through the gate announced. */
  predecessor(): Promise<string | null>
  announce(token: string): Promise<void>
  /** A descriptor that keeps the gate shut for as long as any process has it open. */
  handOn(): number | null
  leave(): Promise<void>
}

/** `null`: no kernel lock, or no safe directory on a local disk. The network lock works without a gate, with more traffic. */
export async function openGate(host: Host, directory: string): Promise<Gate | null> {
  if (!(await hasKernelLock(host)) || !(await ownDirectory(host, directory))) return null
  // TMPDIR may be scratch space that a cluster shares: a lock there is no proof of anything on another host.
  if (host.inspect(directory).locality !== 'local') return null
  const kernel = kernelMechanism(host)
  const gatePath = (path: string): string => join(directory, sha256(path))
  return {
    async tryEnter(path) {
      const held = await makingRoom(host, directory, async () => kernel.tryTake(gatePath(path), {}))
      return held && passThrough(host.directDisk, gatePath(path), held)
    },
    async enter(path, signal) {
      const held = await makingRoom(host, directory, () => waitAtGate(kernel, gatePath(path), signal))
      return passThrough(host.directDisk, gatePath(path), held)
    },
  }
}

/** A cleaner of temporary files removes the directory as well, once it is empty. */
async function makingRoom<T>(host: Host, directory: string, take: () => Promise<T>): Promise<T> {
  try {
    return await take()
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || !(await ownDirectory(host, directory))) throw error
    return take()
  }
}

async function waitAtGate(kernel: Mechanism, path: string, signal: AbortSignal): Promise<Held> {
  return (await kernel.tryTake(path, {})) ?? kernel.take(path, signal, {})
}

function passThrough(disk: Disk, path: string, held: Held): Pass {
  const tokenPath = `${path}.token`
  return {
    async predecessor() {
      try {
        const [token, identity] = (await readSmallFile(disk, tokenPath, 128)).split(' ')
        return identity === held.identity ? token! : null
      } catch {
        return null
      }
    },
    async announce(token) {
      // Only the one inside the gate reads or writes this; half a token matches nothing.
      await attempt(disk.unlink(tokenPath))
      const fd = await disk.createExclusive(tokenPath, 0o600)
      try {
        await disk.write(fd, Buffer.from(`${token} ${held.identity}`))
      } finally {
        await disk.close(fd)
      }
    },
    handOn: () => held.handOn(),
    leave: async () => held.release(),
  }
}

/** In a temporary directory that everybody can write to, only a directory of our own that nobody else can touch. */
async function ownDirectory({ directDisk: disk, directories }: Host, path: string): Promise<boolean> {
  try {
    await disk.mkdir(path, 0o700)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) return false
  }
  try {
    const stats = await disk.lstat(path)
    return stats.isDirectory() && stats.uid === directories.uid() && (stats.mode & 0o022) === 0
  } catch {
    return false
  }
}
