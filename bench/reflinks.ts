/** A file system on which copies share blocks, for as long as `work` takes; `null` where none can be mounted. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const IMAGE_BYTES = 4 * 1024 ** 3

export async function onReflinks<T>(dir: string, work: (mount: string) => Promise<T>): Promise<T | null> {
  if (process.getuid?.() !== 0 || spawnSync('mkfs.xfs', ['-V']).status !== 0) return null
  const image = join(dir, 'xfs.img')
  const mount = join(dir, 'xfs')
  writeFileSync(image, '')
  truncateSync(image, IMAGE_BYTES)
  mkdirSync(mount)
  execFileSync('mkfs.xfs', ['-q', '-m', 'reflink=1', image])
  if (spawnSync('mount', ['-o', 'loop', image, mount]).status !== 0) return null
  try {
    return await work(mount)
  } finally {
    execFileSync('umount', [mount])
    rmSync(image)
  }
}
