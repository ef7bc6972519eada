/**
 * Who sees all slots and snapshots:
 *
 *   one worker  no two live in one slot at once, and nobody takes it away from the one that does
 *   chains      what a worker finds in its slot, and what is in a snapshot, is what one worker has had at one time
 *   kept        a generation that was reported published is there, or a later one
 */
import { unitOf } from '../../src/latch/snapshots.js'
import { decodeManifest } from '../../src/store/manifest.js'
import { isInjected } from './faults.js'
import type { Process } from './process.js'
import { buildsIn } from './unit.js'
import type { Inode } from './volume.js'
import type { Witness } from './witness.js'
import { CACHE, type World, find } from './world.js'

interface Published {
  generation: number
  /** How many removals had been begun by then. */
  removals: number
}

export class SlotWitness {
  readonly #workers = new Map<string, Set<Process>>()
  readonly #published = new Map<string, Published>()

  constructor(
    private readonly world: World,
    private readonly witness: Witness,
  ) {}

  /**
   * Two hosts on which flock says that it excludes, and does not, have one name for two slots. Until the worker has
   * started, a slot is as safe as its lock: from being deleted, and, where neither flock nor a gate can be inherited,
   * from a wrapper that stands still between its last look and the start (protocol, 8. and "what holds where").
   */
  get #slotsHold(): boolean {
    const { native, flockCommand, lies, deletions, cleaners, locker } = this.world.swarm
    if (lies || deletions) return false
    const isInherited = native || flockCommand
    return isInherited ? !cleaners : locker === 'lockfile' && this.witness.nobodyWasHeldUp
  }

  workerStarts(worker: Process, slot: string): void {
    const workers = this.#workersIn(slot)
    for (const other of workers) if (!other.alive) workers.delete(other)
    const [other] = workers
    if (other && this.#slotsHold)
      this.witness.report(`${worker.name} works in ${slot}, and ${other.name} does`)
    workers.add(worker)
  }

  /** What a worker has left behind is in the slot as it was. */
  helperStarts(helper: Process, slot: string): void {
    this.#workersIn(slot).add(helper)
  }

  #workersIn(slot: string): Set<Process> {
    const workers = this.#workers.get(slot) ?? new Set<Process>()
    this.#workers.set(slot, workers)
    return workers
  }

  /** It has found something wrong, or could not do something, in a directory that is its own. */
  workerFailed(worker: Process, error: unknown): void {
    if (isInjected(error) || !this.#slotsHold) return
    this.witness.report(`${worker.name} in its slot: ${String(error)}`)
  }

  /**
   * @param removals begun before it was placed, and over by then: nobody pins a unit until its publisher tells of it.
   *   `null`: one was under way
   */
  published(unit: string, generation: number, removals: number | null): void {
    if (this.witness.isRemoving || removals === null || removals !== this.witness.removals) return
    const before = this.#published.get(unit)
    if (before && before.generation > generation && before.removals === removals) return
    this.#published.set(unit, { generation, removals })
  }

  check(): void {
    const newest = new Map<string, number>()
    for (const [path, entry] of this.#entries()) {
      const manifest = decodeManifest(entry.names.get('MANIFEST.json')?.bytes.toString() ?? '')
      const key = typeof manifest === 'string' ? null : unitOf(manifest.key)
      if (key === null) continue
      newest.set(key.unit, Math.max(key.generation, newest.get(key.unit) ?? 0))
      this.#checkUnit(path, key.unit, entry)
    }
    for (const [unit, { generation, removals }] of this.#published) {
      if (removals !== this.witness.removals || this.world.swarm.deletions) continue
      if ((newest.get(unit) ?? 0) < generation)
        this.witness.report(`generation ${generation} of ${unit} was reported published, and is not there`)
    }
  }

  #checkUnit(path: string, unit: string, entry: Inode): void {
    let directory: Inode | undefined = entry.names.get('files')
    for (const name of unit.split('/')) directory = directory?.names.get(name)
    const files = [...(directory?.names ?? [])].map(([name, { bytes }]) => [name, bytes] as const)
    try {
      buildsIn(unit, new Map(files))
    } catch (error) {
      if (this.#slotsHold && !this.witness.halfRemovedMayReturn)
        this.witness.report(`${path}: ${String(error)}`)
    }
  }

  *#entries(): Generator<[path: string, entry: Inode]> {
    const snapshots = find(this.world.shared, `${CACHE}/v1/snapshots`)
    for (const [namespace, home] of snapshots?.names ?? [])
      for (const shelf of home.names.values())
        for (const [id, entry] of shelf.names) yield [`${namespace}/${id.slice(0, 6)}…`, entry]
  }
}
