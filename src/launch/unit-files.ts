/** Making the files of a unit somewhere else. */
import { dirname, join, normalize, relative } from 'node:path'
import type { Disk } from '../host/disk.js'
import { makeDirectory } from './namespace.js'

/** The directories above `path` below `root`; `made` remembers them. */
export async function makeParents(disk: Disk, root: string, path: string, made: Set<string>): Promise<void> {
  const parent = dirname(path)
  if (parent === '.' || made.has(parent)) return
  await makeParents(disk, root, parent, made)
  await makeDirectory(disk, `${root}/${parent}`)
  made.add(parent)
}

/** A link as it is published: relative, where it leads to a file of the slot. What leads elsewhere is left as it is, and refused by the seal. */
export function linkInside(slot: string, path: string, target: string): string {
  if (!target.startsWith(`${slot}/`)) return target
  return relative(dirname(join(slot, path)), normalize(target))
}
