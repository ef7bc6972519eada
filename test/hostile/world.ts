/**
 * A cache in use, and beside it a directory of somebody else's, to which nothing that is planted in the cache may lead:
 * neither its name nor its content may ever come out, and not a byte or a time of it may change.
 *
 *   <base>/cache/      ours: an entry, a failed build, a snapshot, a slot, statistics
 *   <base>/targets/    paths that are written with `writeFile` and the like, with the books in `.cachelatch`
 *   <base>/outside/    theirs: the same again, with other content, all of it old; and plain files
 */
import { lstatSync, lutimesSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCacheOn } from '../../src/latch/cache.js'
import { realHost } from '../../src/host/host.js'
import { writeDirectory, writeFile } from '../../src/latch/write.js'
import { Image } from '../support/image.js'
import { runTestWorker } from '../support/slot-workers.js'

export type LockerName = 'kernel' | 'lockfile'

/** The shortest that there is: what a test waits for at most. */
export const STALE_MS = 2_000

/**
 * What is outside has this in every file, and it is a key there: nothing that is said or handed out may contain it. As
 * long as what is `ours`: so that no size gives it away.
 */
export const THEIRS = 'Jane'

/**
 * Of what is outside, the file of which a hard link is made. What is linked into a cache is a file of the cache, to be
 * read and handed out as any that somebody has forged: so it may be read, and only its content tells nothing of theirs.
 */
export const LINKED = 'linked'

/** Longer ago than any grace time. */
const OLD_SECONDS = 1_600_000_000

/** How everything was when it was built. */
interface Images {
  cache: Image
  targets: Image
  outside: Image
}

export class World {
  readonly root: string
  readonly targets: string
  readonly outside: string
  /** What plants are made of: on the same file system. */
  readonly supplies: string
  #images!: Images
  /** `null`: what is outside is not as it was. */
  #witness: Witness | null = null

  private constructor(
    base: string,
    readonly locker: LockerName,
  ) {
    this.root = join(base, 'cache')
    this.targets = join(base, 'targets')
    this.outside = join(base, 'outside')
    this.supplies = join(base, 'supplies')
  }

  /** @param base an empty directory, without links in its path */
  static async build(base: string, locker: LockerName): Promise<World> {
    const world = new World(base, locker)
    const { root, targets, outside } = world
    for (const directory of [root, targets, outside]) mkdirSync(directory, { recursive: true })
    await fill(root, locker, 'ours')
    await fill(outside, locker, THEIRS)
    await writeTargets(targets, locker, 'ours')
    await writeTargets(outside, locker, THEIRS)
    plainFiles(outside)
    world.#images = { cache: new Image(root), targets: new Image(targets), outside: new Image(outside) }
    return world
  }

  /** As it was built: what is ours; and what is theirs where that has changed. */
  renew(): void {
    this.#images.cache.layDown(this.root)
    this.#images.targets.layDown(this.targets)
    if (this.#witness !== null) return
    this.#images.outside.layDown(this.outside)
    this.#witness = new Witness(this.outside)
  }

  /** Or was read, since it was renewed. */
  hasOutsideChanged(): boolean {
    if (this.#witness === null) return true
    if (!this.#witness.sees()) return false
    this.#witness = null
    return true
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
      // A slot is used again only with the very times that its mark tells; no call can set finer ones exactly.
      for (const file of worker.files()) lutimesSync(join(worker.path, file), OLD_SECONDS, OLD_SECONDS)
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
  writeFileSync(join(outside, LINKED), 'link')
}

function makeOld(directory: string): void {
  for (const name of readdirSync(directory, { recursive: true }) as string[])
    lutimesSync(join(directory, name), OLD_SECONDS, OLD_SECONDS)
  lutimesSync(directory, OLD_SECONDS, OLD_SECONDS)
}

/**
 * What is there, by looks that leave no trace: where times of access are kept (also with `relatime`, since all times are
 * the same here), reading a file or listing a directory changes its own. A new name changes that of its directory.
 */
class Witness {
  readonly #names: readonly string[]
  #seen: string

  constructor(private readonly directory: string) {
    this.#names = ['.', ...(readdirSync(directory, { recursive: true }) as string[])]
    makeOld(directory)
    this.#seen = this.#look()
  }

  sees(): boolean {
    return this.#look() !== this.#seen
  }

  #look(): string {
    return this.#names.map((name) => this.#lookAt(name)).join('\n')
  }

  #lookAt(name: string): string {
    const stats = lstatSync(join(this.directory, name), { throwIfNoEntry: false })
    if (stats === undefined) return `${name} is gone`
    // Whoever reads a hard link reads a file of the cache.
    const atimeMs = name === LINKED ? 0 : stats.atimeMs
    return [name, stats.mode, stats.uid, stats.size, stats.mtimeMs, atimeMs].join(' ')
  }
}
