/**
 * A cache in use, and beside it a directory of somebody else's, to which nothing that is planted in the cache may lead:
 * neither its name nor its content may ever come out, and not a byte or a time of it may change.
 *
 *   <base>/cache/      ours: an entry, a failed build, a snapshot, a slot, statistics
 *   <base>/targets/    paths that are written with `writeFile` and the like, with the books in `.cachelatch`
 *   <base>/outside/    theirs: the same again, with other content, all of it old; and plain files
 */
import { createHash } from 'node:crypto'
import {
  cpSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { openCacheOn } from '../../src/latch/cache.js'
import { realHost } from '../../src/host/host.js'
import { writeDirectory, writeFile } from '../../src/latch/write.js'
import { runTestWorker } from '../support/slot-workers.js'

export type LockerName = 'kernel' | 'lockfile'

/** The shortest that there is: what a test waits for at most. */
export const STALE_MS = 2_000

/** What is outside has this in every name and file: nothing that is said or handed out may contain it. */
export const THEIRS = 'of-others'

/** Longer ago than any grace time. */
const OLD_SECONDS = 1_600_000_000

export class World {
  readonly root: string
  readonly targets: string
  readonly outside: string
  readonly #template: string
  #untouched: string | undefined

  private constructor(
    readonly base: string,
    readonly locker: LockerName,
  ) {
    this.root = join(base, 'world/cache')
    this.targets = join(base, 'world/targets')
    this.outside = join(base, 'world/outside')
    this.#template = join(base, 'template')
  }

  /** @param base an empty directory, without links in its path */
  static async build(base: string, locker: LockerName): Promise<World> {
    const world = new World(base, locker)
    for (const directory of [world.root, world.targets, world.outside])
      mkdirSync(directory, { recursive: true })
    await fill(world.root, locker, 'ours')
    await fill(world.outside, locker, THEIRS)
    await writeTargets(world.targets, locker, 'ours')
    await writeTargets(world.outside, locker, THEIRS)
    plainFiles(world.outside)
    makeOld(world.outside)
    renameSync(join(base, 'world'), world.#template)
    return world
  }

  /** As it was built: what is ours; and what is theirs where that has changed. Returns the witness of theirs. */
  renew(): string {
    this.#copy('cache')
    this.#copy('targets')
    if (this.#untouched === undefined || this.witness() !== this.#untouched) {
      this.#copy('outside')
      makeOld(this.outside)
      this.#untouched = this.witness()
    }
    return this.#untouched
  }

  #copy(name: string): void {
    const path = join(this.base, 'world', name)
    rmSync(path, { recursive: true, force: true })
    cpSync(join(this.#template, name), path, {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    })
  }

  /** All that is outside, as one text: names, kinds, modes, times, contents. */
  witness(): string {
    return listing(this.outside).join('\n')
  }
}

async function fill(root: string, locker: LockerName, content: string): Promise<void> {
  const cache = await openCacheOn(realHost(), root, { strict: true, locker, staleMs: STALE_MS })
  const build = ({ dir }: { dir: string }): void => {
    writeFileSync(join(dir, 'f'), content)
    mkdirSync(join(dir, 'd'))
    writeFileSync(join(dir, 'd/g'), content)
  }
  await (await cache.getOrCompile('warm', build)).release()
  if (content !== 'ours') await (await cache.getOrCompile(`key ${content}`, build)).release()
  await cache.getOrCompile('failed', () => Promise.reject(new Error(content))).catch(() => undefined)
  await runTestWorker(
    root,
    (worker) => {
      worker.write('groups/g/kernel', content)
      worker.write('singles/s', content)
    },
    { locker, staleMs: STALE_MS },
  )
}

async function writeTargets(directory: string, locker: LockerName, content: string): Promise<void> {
  await writeFile(join(directory, 'target'), content, { locker, staleMs: STALE_MS })
  await writeDirectory(join(directory, 'tree'), (dir) => writeFileSync(join(dir, 'f'), content), {
    locker,
    staleMs: STALE_MS,
  })
}

/** What removers would like to find: tokens, slots, statistics of long ago, drafts, empty directories. */
function plainFiles(outside: string): void {
  const token = 'ab'.repeat(16)
  for (const name of ['000', 'docs/000', token, 'empty', 'docs/empty', `x.held-${token}`])
    mkdirSync(join(outside, name), { recursive: true })
  for (const name of [
    'f',
    'docs/notes',
    'docs/000/notes',
    `${token}/notes`,
    '000/notes',
    'ef'.repeat(16),
    `docs/${token}.doomed`,
    `a.json.${token}`,
    '000.ended-well.json',
    'a.owner.json',
    `2020-01-01.${'ab'.repeat(6)}.0.ndjson`,
  ])
    writeFileSync(join(outside, name), THEIRS)
}

function makeOld(directory: string): void {
  for (const name of readdirSync(directory, { recursive: true }) as string[])
    lutimesSync(join(directory, name), OLD_SECONDS, OLD_SECONDS)
  lutimesSync(directory, OLD_SECONDS, OLD_SECONDS)
}

function listing(directory: string): string[] {
  return (readdirSync(directory, { recursive: true }) as string[]).sort().map((name) => {
    const path = join(directory, name)
    const stats = lstatSync(path)
    const content = stats.isFile()
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : stats.isSymbolicLink()
        ? readlinkSync(path)
        : ''
    return `${name} ${stats.mode.toString(8)} ${stats.mtimeMs} ${content}`
  })
}
