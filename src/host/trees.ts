/** Whole trees, through fs-extra: only where nothing depends on it being one step. */

import type { Disk } from './disk.js'
import { isErrno } from './disk-errors.js'

/** Removes what is there; nothing there is fine. */
export async function removeTree(path: string): Promise<void> {
  const { default: fsExtra } = await import('fs-extra')
  try {
    await fsExtra.remove(path)
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error
    await makeWritable(path)
    await fsExtra.remove(path)
  }
}

/** Without hurry and in little memory: all at once, 10 000 files take 40 MB that the process then keeps. */
export async function removeTreeGently(disk: Disk, path: string): Promise<void> {
  for (const child of await disk.readdir(path))
    if (child.isDirectory()) await removeTreeGently(disk, `${path}/${child.name}`)
    else await disk.unlink(`${path}/${child.name}`)
  await disk.rmdir(path)
}

/** Some builds leave directories without write permission: not even their owner may remove what is in there. */
async function makeWritable(directory: string): Promise<void> {
  const { default: fsExtra } = await import('fs-extra')
  await fsExtra.chmod(directory, 0o700)
  for (const child of await fsExtra.readdir(directory, { withFileTypes: true }))
    if (child.isDirectory()) await makeWritable(`${directory}/${child.name}`)
}
