/** The file systems that this machine can make, and why it cannot make the others. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mounts } from '../../test/support/mounting.js'
import { lacking, type Need } from '../../test/support/needs.js'

export interface Ground {
  /** Where to work. */
  place: string
  /** A second mount of the same, as another host has it. */
  other?: string
  /** What fills up with it: a file of ballast is laid there. */
  disk: string
}

interface Recipe {
  needs: Need[]
  /** @param small with hardly more space than its kind needs */
  make(mounts: Mounts, small: boolean): Ground
}

const MB = 1024 * 1024

function onDisk(type: 'ext4' | 'xfs' | 'btrfs', smallestMb: number): Recipe {
  return {
    needs: ['root', 'mkfs.ext4, mkfs.xfs and mkfs.btrfs'],
    make(mounts, small) {
      const place = mounts.disk(type, (small ? smallestMb : 512) * MB)
      return { place, disk: place }
    },
  }
}

const EXT4 = onDisk('ext4', 32)

/** A file system that shows a directory of another, here of an ext4, once or as to two hosts. */
function over(need: Need, mount: (mounts: Mounts, directory: string) => string, twice: boolean): Recipe {
  return {
    needs: [...EXT4.needs, need],
    make(mounts, small) {
      const { disk } = EXT4.make(mounts, small)
      const directory = join(disk, 'shared')
      mkdirSync(directory)
      const place = mount(mounts, directory)
      return { place, disk, ...(twice && { other: mount(mounts, directory) }) }
    },
  }
}

const bindfs = (mounts: Mounts, directory: string): string => mounts.bindfs(directory)
const sshfs = (mounts: Mounts, directory: string): string => mounts.sshfs(directory)

export const RECIPES = {
  tmpfs: {
    needs: ['mount tmpfs'],
    make(mounts, small) {
      const place = mounts.tmpfs(small ? 'size=16m' : 'size=512m')
      return { place, disk: place }
    },
  },
  ext4: EXT4,
  xfs: onDisk('xfs', 320),
  btrfs: onDisk('btrfs', 256),
  overlayfs: over('root', (mounts, directory) => mounts.overlay(directory), false),
  bindfs: over('bindfs', bindfs, false),
  'bindfs, two hosts': over('bindfs', bindfs, true),
  sshfs: over('sshfs and sshd', sshfs, false),
  'sshfs, two hosts': over('sshfs and sshd', sshfs, true),
} as const satisfies Record<string, Recipe>

export type GroundName = keyof typeof RECIPES
export const GROUND_NAMES = Object.keys(RECIPES) as GroundName[]

export function whyNot(name: GroundName): string | null {
  const missing = lacking(...RECIPES[name].needs)
  return missing.length === 0 ? null : `needs ${missing.join(', ')}`
}

/** Kinds that no program of Debian's brings: their client is a part of the kernel. */
const OF_THE_KERNEL = ['nfs', 'nfs4', '9p', 'cifs', 'ceph', 'lustre']

/** Which of those this kernel does not know, so that nothing here is said of them. */
export function unknownToKernel(): string[] {
  const known = existsSync('/proc/filesystems') ? readFileSync('/proc/filesystems', 'utf8') : ''
  return OF_THE_KERNEL.filter((type) => !known.split(/\s+/).includes(type))
}
