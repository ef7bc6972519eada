/** A disk that writes down what it was asked to do, so that a test can say in which order things have to be. */
import { fstatSync, lstatSync } from 'node:fs'
import type { Disk } from '../../src/host/disk.js'
import { type Host, realHost } from '../../src/host/host.js'

export interface Recording {
  host: Host
  /** `sync <inode>`, `write <inode>`, `rename <from> <to>`, `unlink <path>`, in order. */
  steps: string[]
}

export function recordedHost(): Recording {
  const real = realHost()
  const steps: string[] = []
  return { host: { ...real, diskFor: (fileSystem) => recorded(real.diskFor(fileSystem), steps) }, steps }
}

function recorded(disk: Disk, steps: string[]): Disk {
  return {
    ...disk,
    async write(fd, bytes) {
      await disk.write(fd, bytes)
      steps.push(`write ${fstatSync(fd).ino}`)
    },
    async sync(fd) {
      await disk.sync(fd)
      steps.push(`sync ${fstatSync(fd).ino}`)
    },
    async rename(from, to) {
      await disk.rename(from, to)
      steps.push(`rename ${from} ${to}`)
    },
    async unlink(path) {
      await disk.unlink(path)
      steps.push(`unlink ${path}`)
    },
  }
}

export const inodeOf = (path: string): number => lstatSync(path).ino
