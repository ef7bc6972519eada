/** What a key is made of besides text: files, trees, and what commands print. */
import { isUtf8 } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { directDisk as disk } from './disk.js'
import { sha256, sha256File } from './hash.js'

/**
 * SHA-256 of a file's bytes; of a directory, of the names and bytes of all that is in it, who may execute what, and
 * where links lead to. Nothing else counts (times, owners, other modes): two checkouts of one revision are the same.
 * @throws errno errors; TypeError for a device, a pipe or a socket
 */
export async function fingerprintOf(path: string): Promise<string> {
  const real = realpathSync(path)
  return statSync(real).isDirectory() ? sha256(await listing(real, '')) : hashOf(real)
}

async function listing(root: string, prefix: string): Promise<string> {
  let text = ''
  const children = readdirSync(`${root}/${prefix}`, { withFileTypes: true })
  for (const child of children.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = `${prefix}${child.name}`
    const path = `${root}/${name}`
    const line = (...parts: unknown[]): string => `${JSON.stringify([name, ...parts])}\n`
    if (child.isDirectory()) text += line('directory') + (await listing(root, `${name}/`))
    else if (child.isSymbolicLink()) text += line('link', readlinkSync(path))
    else text += line('file', await hashOf(path), isExecutable(path))
  }
  return text
}

function isExecutable(path: string): boolean {
  return (statSync(path).mode & 0o100) !== 0
}

/** A pipe or a device has no end, or another one each time. */
async function hashOf(path: string): Promise<string> {
  const stats = statSync(path)
  if (!stats.isFile()) throw new TypeError(`${path} is neither a file nor a directory`)
  const fd = await disk.openRead(path)
  try {
    return await sha256File(disk, fd, stats.size)
  } finally {
    await disk.close(fd)
  }
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
/** `nvidia-smi --query-gpu=driver_version --format=csv,noheader` and the like fit, and can be read in `ls`. */
const MAX_READABLE = 100

/**
 * What a shell command prints, as `$(…)` would take it: itself where it is one short line, else its SHA-256.
 * @throws Error that says how the command ended, where that was not well
 */
export function outputOf(script: string): string {
  const { error, status, signal, stdout } = spawnSync('sh', ['-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: MAX_OUTPUT_BYTES,
  })
  if (error) throw error
  if (status !== 0) throw new Error(signal ? `it was ended by ${signal}` : `its exit code is ${status}`)
  const text = isUtf8(stdout) ? stdout.toString().replace(/\n+$/, '') : null
  if (text !== null && text.length <= MAX_READABLE && !text.includes('\n')) return text
  return `sha256:${createHash('sha256')
    .update(text ?? stdout)
    .digest('hex')}`
}
