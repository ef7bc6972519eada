/** How much there is in a directory of which no manifest tells. */
import { nextTurn } from '../host/clock.js'
import type { Disk } from '../host/disk.js'

export interface Measure {
  bytes: number
  files: number
}

/** What cannot be looked at counts as nothing. @param skip leaves out files of the directory itself, by name */
export async function measure(
  disk: Disk,
  path: string,
  skip: (name: string) => boolean = () => false,
): Promise<Measure> {
  const total = { bytes: 0, files: 0 }
  // A link could lead to all that there is.
  const stats = await disk.lstat(path).catch(() => null)
  if (stats?.isDirectory()) await add(disk, path, skip, total)
  return total
}

async function add(disk: Disk, path: string, skip: (name: string) => boolean, total: Measure): Promise<void> {
  for (const child of await disk.readdir(path).catch(() => [])) {
    const below = `${path}/${child.name}`
    if (child.isDirectory()) await add(disk, below, () => false, total)
    if (!child.isFile() || skip(child.name)) continue
    total.bytes += (await disk.lstat(below).catch(() => null))?.size ?? 0
    total.files++
  }
  // On a local file system nothing else has happened meanwhile.
  await nextTurn()
}
