/** Where the soak takes place: a small disk for each locker, and what is beside them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type LockerName = 'kernel' | 'lockfile'

export interface World {
  locker: LockerName
  /** The cache's root. */
  root: string
  /** A directory outside of it, on the same disk. */
  beside: string
  /** Takes all room of the disk; `null`: it is no disk of its own, and others need theirs. */
  filler: string | null
}

export interface Place {
  worlds: World[]
  /** Private directories, gates, and the witness's socket: never full. */
  home: string
  /** Unmounts and removes all. */
  clear: () => void
}

const DISK_BYTES = 96 * 1024 * 1024
/** Below it, a disk has as good as no room. */
const BLOCK_BYTES = 4096

/** @param ownDisks mounts ext4 for the kernel's lock and tmpfs for the other: root only */
export function makePlace(ownDisks: boolean): Place {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'cachelatch-soak-')))
  const mounted: string[] = []
  const clear = (): void => {
    for (const path of mounted) spawnSync('umount', ['-l', path])
    rmSync(home, { recursive: true, force: true })
  }
  try {
    for (const name of ['tmp', 'gates']) mkdirSync(join(home, name))
    const worlds = (['kernel', 'lockfile'] as const).map((locker) => {
      const disk = join(home, locker)
      mkdirSync(disk)
      if (ownDisks) mount(locker, disk, mounted)
      const [root, beside] = [join(disk, 'cache'), join(disk, 'beside')]
      for (const directory of [root, beside]) mkdirSync(directory)
      return { locker, root, beside, filler: ownDisks ? join(disk, 'filler') : null }
    })
    return { worlds, home, clear }
  } catch (error) {
    clear()
    throw error
  }
}

function mount(locker: LockerName, path: string, mounted: string[]): void {
  if (locker === 'lockfile') execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'none', path])
  else {
    const image = `${path}.image`
    writeFileSync(image, '')
    truncateSync(image, DISK_BYTES)
    execFileSync('mkfs.ext4', ['-q', image])
    execFileSync('mount', ['-o', 'loop', image, path])
  }
  mounted.push(path)
}

/** Writes until nothing more fits. */
export function fill(filler: string): void {
  const fd = openSync(filler, 'a')
  try {
    for (let bytes = 1024 * 1024; bytes >= BLOCK_BYTES;) {
      try {
        writeSync(fd, Buffer.alloc(bytes))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        bytes /= 4
      }
    }
  } finally {
    closeSync(fd)
  }
}

export function empty(filler: string): void {
  rmSync(filler, { force: true })
}
