/** What an unmodified worker does in its slot, not knowing that it is one. */
import type { Disk } from '../../src/host/disk.js'
import { orElse } from '../../src/host/disk-errors.js'
import { clockOf } from './clock.js'
import { diskOf } from './disk.js'
import { readAll } from './payload.js'
import type { Process } from './process.js'
import { UNITS, buildsIn, nameOf, nextFile } from './unit.js'

/** Until it ends, in one way or the other. */
export async function work(worker: Process, slot: string): Promise<void> {
  const { world } = worker
  const { chance, witness } = world
  const disk = diskOf(worker, 'main')
  const clock = clockOf(worker, 'main')
  const units = new Map<string, string[]>()
  try {
    for (const unit of UNITS) units.set(unit, await whatIsThere(disk, slot, unit))
    for (let times = chance.integer(0, 5); times > 0; times--) {
      await clock.sleep(chance.magnitude(1, 20_000))
      const unit = chance.pick(UNITS)
      if (chance.happens(0.15)) await startAnew(disk, slot, unit, units)
      await addFile(worker, disk, slot, unit, units.get(unit)!)
    }
    if (chance.happens(0.1)) leaveHelper(worker, slot)
    worker.exit(chance.happens(0.85) ? 0 : 1)
  } catch (error) {
    // It goes down with what it has open, as programs do.
    witness.slots.workerFailed(worker, error)
    worker.exit(1)
  }
}

/**
 * It lives on when the worker has ended. Python closes what a child would inherit. It writes nothing: how it ends nobody
 * learns (protocol, "what nobody keeps").
 */
function leaveHelper(worker: Process, slot: string): void {
  const { world, environment } = worker
  const helper = world.spawn(worker, environment, null)
  world.witness.slots.helperStarts(helper, slot)
  void clockOf(helper, 'main')
    .sleep(world.chance.magnitude(10, 20_000))
    .then(() => helper.exit())
}

async function whatIsThere(disk: Disk, slot: string, unit: string): Promise<string[]> {
  const files = new Map<string, Buffer>()
  for (const { name } of await orElse(disk.readdir(`${slot}/${unit}`), [], 'ENOENT'))
    files.set(name, await readAll(disk, `${slot}/${unit}/${name}`))
  return buildsIn(unit, files)
}

/** Last things first: what is there is a beginning all the time. */
async function startAnew(
  disk: Disk,
  slot: string,
  unit: string,
  units: Map<string, string[]>,
): Promise<void> {
  const builds = units.get(unit)!
  while (builds.length > 0) {
    await disk.unlink(`${slot}/${unit}/${nameOf(builds.length - 1)}`)
    builds.pop()
  }
}

async function addFile(
  worker: Process,
  disk: Disk,
  slot: string,
  unit: string,
  builds: string[],
): Promise<void> {
  const { chance, swarm } = worker.world
  const build = chance.hex(4)
  const bytes = nextFile(unit, builds, build, chance.integer(0, 200))
  await orElse(disk.mkdir(`${slot}/${unit}`), undefined, 'EEXIST')
  const fd = await disk.createExclusive(`${slot}/${unit}/${nameOf(builds.length)}`, 0o644)
  const half = chance.integer(1, bytes.length - 1)
  await disk.write(fd, bytes.subarray(0, half))
  // Many compilers take their time in the middle of a file.
  if (chance.happens(0.3)) for (let times = chance.integer(1, 20); times > 0; times--) await disk.fstat(fd)
  if (swarm.kills && chance.happens(0.15)) return worker.kill()
  await disk.write(fd, bytes.subarray(half))
  await disk.close(fd)
  builds.push(build)
}
