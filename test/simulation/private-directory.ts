/** A private directory of a simulated process, on its machine's own disk. */
import type { PrivateDirectory } from '../../src/host/private-directory.js'
import { OPEN_READ } from './disk.js'
import type { Process } from './process.js'

export function privateDirectory(process: Process): PrivateDirectory {
  const { calls, world } = process
  const path = `/tmp/private-${world.chance.hex(4)}`
  calls.mkdir(path)
  const fd = calls.open(path, OPEN_READ)
  let removed = false
  return {
    path,
    fd,
    remove() {
      if (removed) return
      removed = true
      removeNow(process, path)
      calls.close(fd)
    },
  }
}

function removeNow(process: Process, path: string): void {
  const { calls } = process
  for (const child of calls.readdir(path))
    if (child.isDirectory()) removeNow(process, `${path}/${child.name}`)
    else calls.unlink(`${path}/${child.name}`)
  calls.rmdir(path)
}
