/**
 * One scene, of real processes: the first asks for the model and stands still at a step of its compile; the fault
 * strikes; the second asks; the first goes on, where it can; and when both are done, a third comes.
 *
 * Nothing is left to chance: each stands where it is told to, and is let go on when the other has got as far as it
 * gets, which is that it waits, compiles nothing any more, or has ended.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillDisk } from '../../test/support/full-disk.js'
import { otherHost } from '../../test/support/workplace.js'
import type { Ground } from '../file-systems/grounds.js'
import { type Step, look } from './artefact.js'
import { Asker, type Asking } from './asker.js'
import { FAULTS, type Fault, type FaultName } from './faults.js'
import { WAYS, type WayName } from './ways.js'
import { STALE_MS } from './ways/way.js'

export interface Scene {
  way: WayName
  fault: FaultName
  step: Step
}

export interface Seen extends Scene {
  /** Compiles that were begun, without that of a process that was killed. */
  compiles: number
  /** How many who asked, or looked, got a torn result. */
  torn: number
  /** What those who were not killed have ended with; `stuck`: nothing, within the limit. */
  answers: string[]
  /** How long after the fault the second began to compile, or had its result; `null`: never. */
  succeededMs: number | null
  /** Whether the second has waited. */
  waited: boolean
  /** Whether it was so far before the first went on. */
  passedBy: boolean
}

const BYTES_EACH = 64 * 1024
const LARGE_BYTES_EACH = 4 * 1024 * 1024
const MAX_TRIES = 3
let scenes = 0

/** On a machine that is so slow that a lock grows stale by itself, a scene is another one: it is played again. */
export async function play(scene: Scene, ground: Ground): Promise<Seen> {
  const { mayGrowStale, roomFor }: Fault = FAULTS[scene.fault]
  for (let tries = 1; ; tries++) {
    const { seen, stoodMs } = await playOnce(scene, ground)
    if (mayGrowStale || roomFor !== undefined || stoodMs < STALE_MS || tries === MAX_TRIES) return seen
  }
}

async function playOnce(
  { way, fault: faultName, step }: Scene,
  ground: Ground,
): Promise<{ seen: Seen; stoodMs: number }> {
  const fault: Fault = FAULTS[faultName]
  const place = join(ground.place, `scene-${process.pid}-${scenes++}`)
  mkdirSync(place)
  const directory = mkdtempSync(join(tmpdir(), 'cachelatch-scene-'))
  const bytesEach = fault.roomFor === undefined ? BYTES_EACH : LARGE_BYTES_EACH
  const cast: Asker[] = []
  const enter = (name: string, more: Partial<Asking> = {}): Asker => {
    const asker = new Asker({ way, place, name, directory, bytesEach, ...more })
    cast.push(asker)
    return asker
  }
  const { launcher = [], envOfSecond = {} } = fault
  const away = ground.other === undefined ? [] : otherHost(ground.place, ground.other)
  let torn = 0
  const glance = (): void => {
    if (look(WAYS[way].result(place)).sight === 'torn') torn++
  }
  try {
    const full = fault.roomFor === undefined ? null : fillDisk(ground.disk, 2 * bytesEach * fault.roomFor)
    const standAt = full ? undefined : step
    const first = enter('first', { standAt, launcher })
    await first.until((asker) => asker.has('at ') || asker.answer !== null)
    glance()
    full?.[Symbol.dispose]()
    const struckAt = performance.now()
    await fault.strike?.(first, { way, place })
    glance()

    const second = enter('second', { launcher: [...away, ...launcher], env: envOfSecond })
    const gotOn = (asker: Asker): boolean => asker.answer !== null
    await second.until((asker) => asker.has('waiting') || gotOn(asker))
    // It waits: whether it will be let in without the first, who may never come back, takes time to tell.
    await second.until(gotOn, fault.isKilled ? undefined : (fault.patienceMs ?? 0))
    const passedBy = gotOn(second)
    const stoodMs = performance.now() - (first.when('building') ?? performance.now())
    glance()

    fault.relent?.(first)
    first.goOn()
    const alive = fault.isKilled ? [second] : [first, second]
    await Promise.all(alive.map((asker) => asker.until(gotOn)))
    glance()

    const third = enter('third')
    await third.until(gotOn)
    glance()
    const succeededAt = second.when('building') ?? second.when('got ')
    const survivors = [...alive, third]
    const answers = survivors.map(({ answer }) => answer ?? 'stuck')
    const seen: Seen = {
      way,
      fault: faultName,
      step,
      compiles: survivors.filter((asker) => asker.has('building')).length,
      torn: torn + answers.filter((answer) => answer === 'torn').length,
      answers,
      succeededMs: succeededAt === null ? null : Math.round(succeededAt - struckAt),
      waited: second.has('waiting'),
      passedBy,
    }
    if (full && seen.compiles === 1 && answers.every((answer) => answer === 'whole'))
      throw new Error(`The disk was not full for ${way} on ${ground.place}.`)
    return { seen, stoodMs }
  } finally {
    await Promise.all(cast.map((asker) => asker.kill()))
    rmSync(directory, { recursive: true, force: true })
    rmSync(place, { recursive: true, force: true, maxRetries: 5 })
  }
}
