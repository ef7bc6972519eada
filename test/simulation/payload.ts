/** Entries that say themselves what they have to be: whose build they are, of which key, and all of it. */
import type { Disk } from '../../src/host/disk.js'
import type { Chance } from './random.js'

const NAMES = ['kernel.cubin', 'kernel.json', 'parts/launcher.so']

const HEAD = /^(\S+) build (\S+) file (\S+) of (\d+) bytes\n/

export function describe(owner: string, build: string, name: string, fill: number): Buffer {
  const head = (bytes: number): string => `${owner} build ${build} file ${name} of ${bytes} bytes\n`
  const bytes = head(0).length + fill + 8
  return Buffer.from(head(bytes).padEnd(bytes, build))
}

export async function fill(
  disk: Disk,
  dir: string,
  key: string,
  build: string,
  chance: Chance,
): Promise<void> {
  await disk.mkdir(`${dir}/parts`)
  for (const name of NAMES) {
    const fd = await disk.createExclusive(`${dir}/${name}`, 0o644)
    try {
      await disk.write(fd, describe(key, build, name, chance.integer(0, 200)))
    } finally {
      await disk.close(fd)
    }
  }
}

/**
 * Which build has written all of it. The files are opened one by one, by their paths: where nothing keeps the entry
 * there, another may take its place meanwhile. @throws what is wrong, in words
 */
export async function readWhole(disk: Disk, dir: string, key: string): Promise<string> {
  const builds = new Set<string>()
  for (const name of NAMES) builds.add(check(await readAll(disk, `${dir}/${name}`), key, name))
  if (builds.size > 1) throw new Error(`${dir} is a mixture of the builds ${[...builds].join(', ')}`)
  return [...builds][0]!
}

/** A file in part, or another's: what no reader may ever see, whatever is done to the cache. */
export class Torn extends Error {}

/** The build of a file that is whole. */
export function check(bytes: Buffer, owner: string, name: string): string {
  const [, of, build, file, length] = HEAD.exec(bytes.toString('latin1')) ?? []
  if (of !== owner || file !== name)
    throw new Torn(`${name} of ${owner} begins with: ${JSON.stringify(bytes.toString('latin1', 0, 60))}`)
  const whole = describe(owner, build!, name, Number(length) - describe(owner, build!, name, 0).length)
  if (!whole.equals(bytes)) throw new Torn(`${name} of ${owner} has ${bytes.length} of ${length} bytes`)
  return build!
}

export async function readAll(disk: Disk, path: string): Promise<Buffer> {
  const fd = await disk.openRead(path)
  try {
    const { size } = await disk.fstat(fd)
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, await disk.read(fd, bytes, 0))
  } finally {
    await disk.close(fd)
  }
}
