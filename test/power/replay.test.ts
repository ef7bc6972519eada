/**
 * The calls of an operation are recorded, and the power goes after each of them: of what may be on the disk then
 * (power-cut.ts), the extremes and some others are laid out, and looked at as at the next boot.
 */
import { observeWith, watched } from '../support/node-fs.js'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { realHost } from '../../src/host/host.js'
import { seededRandom } from '../support/random.js'
import { timeBox } from '../support/time-box.js'
import { type Choose, type Chooser, MODELS, type Model, remainsAfter } from './power-cut.js'
import { RecordedDisk } from './recorded-disk.js'
import { layOut } from './remains.js'
import { SCENES, type Scene } from './scenes.js'

const base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cachelatch-power-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))
let count = 0

/** After a power cut, what the kernel told of itself before is no more. */
const host = realHost()
const { bootId } = host.processes
host.native = host.native && watched(host.native)
process.removeAllListeners('warning')
const reboot = (): void => void (host.processes = { ...host.processes, bootId: `${bootId}-${count}` })

interface Recording {
  scene: Scene
  disk: RecordedDisk
  /** The moment at which the caller was told that it is done. */
  reported: number
}

async function record(scene: Scene): Promise<Recording> {
  const top = join(base, `recorded-${count++}`)
  mkdirSync(top)
  await scene.before?.(top)
  const disk = new RecordedDisk(top)
  observeWith(disk)
  try {
    await scene.act(top)
    const reported = disk.now
    return { scene, disk, reported }
  } finally {
    observeWith(null)
    rmSync(top, { recursive: true })
  }
}

const oldest: Choose = () => 0
const newest: Choose = (of) => of - 1
const { random } = seededRandom('CACHELATCH_POWER_SEED')
const any: Choose = (of) => Math.floor(random() * of)

const CHANCES: Record<string, Chooser> = {
  'nothing but what was synced': { names: oldest, data: oldest, order: any },
  'all names, and data but what was synced': { names: newest, data: oldest, order: any },
  'all names, and zeros': { names: newest, data: () => 1, order: any },
  everything: { names: newest, data: newest, order: any },
  'any of it': { names: any, data: any, order: any },
  'any other of it': { names: any, data: any, order: any },
}

interface Case extends Recording {
  cut: number
  model: Model
  chance: string
}

async function lookAfter({ scene, disk, reported, cut, model, chance }: Case): Promise<void> {
  const top = join(base, `after-${count++}`)
  layOut(top, remainsAfter(disk, cut, model, CHANCES[chance]!))
  reboot()
  try {
    await scene.look(top, cut >= reported)
  } catch (error) {
    const where = `${scene.name}, after call ${cut} of ${disk.now}, reported after ${reported}; ${model}: ${chance}`
    throw new Error(`${where}: ${error instanceof Error ? error.stack : String(error)}`, { cause: error })
  } finally {
    rmSync(top, { recursive: true, force: true })
  }
}

function casesOf(recording: Recording, cuts: readonly number[]): Case[] {
  const cases: Case[] = []
  for (const cut of cuts)
    for (const model of MODELS)
      for (const chance of Object.keys(CHANCES)) cases.push({ ...recording, cut, model, chance })
  return cases
}

async function lookAfterAll(cases: Iterable<Case>): Promise<void> {
  const wrong: string[] = []
  for (const each of cases) await lookAfter(each).catch((problem: unknown) => wrong.push(String(problem)))
  expect(wrong.slice(0, 5).join('\n\n'), `${wrong.length} cases went wrong`).toEqual('')
}

const recordings: Recording[] = []
beforeAll(async () => {
  for (const scene of SCENES) recordings.push(await record(scene))
})

test('when the power goes as soon as something was reported, it is there, and whole', async () => {
  await lookAfterAll(recordings.flatMap((recording) => casesOf(recording, [recording.reported])))
})

test('whenever the power goes, what is there is whole, and who comes then can work', async () => {
  const until = ({ reported }: Recording): number[] => Array.from({ length: reported }, (_, cut) => cut)
  const cases = recordings.flatMap((recording) => casesOf(recording, until(recording)))
  await lookAfterAll(timeBox(cases, { atLeast: 100 }))
})
