/**
 * The same on real file systems: while an operation is under way, and directly after it has been reported, the device
 * is copied; each copy is mounted, as after a power cut, and looked at. Of what no fsync has asked for, the kernel had
 * written as much as it liked.
 */
import { observeWith, watched } from '../support/node-fs.js'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { realHost } from '../../src/host/host.js'
import { missing } from '../support/needs.js'
import { passTime } from '../support/passing-time.js'
import { seededRandom } from '../support/random.js'
import { TRIES_ALL, timeBox } from '../support/time-box.js'
import { Device, TYPES, type Type } from './device.js'
import { SCENES, type Scene } from './scenes.js'

const CHANGING = new Set(
  'copyFile fsync link mkdir open rename renameat2 rmdir symlink unlink write'.split(' '),
)
/** Of the calls of an operation, how many are followed by a cut; with all the time there is, all. */
const SHARE = TRIES_ALL ? 1 : 0.1
const { random } = seededRandom('CACHELATCH_POWER_SEED')

const host = realHost()
host.native = host.native && watched(host.native)
process.removeAllListeners('warning')

let device: Device | undefined
afterEach(() => device?.remove())

interface Cut {
  image: string
  after: string
  reported: boolean
}

/** Runs the scene, and copies the device on the way. */
async function cutsDuring(scene: Scene, device: Device, top: string): Promise<Cut[]> {
  const cuts: Cut[] = []
  const cut = (after: string, reported: boolean): void => {
    const image = device.copy()
    if (image !== null) cuts.push({ image, after, reported })
  }
  observeWith({
    now: 0,
    observe(name, [subject]) {
      if (CHANGING.has(name) && random() < SHARE && !device.isAsCopied())
        cut(`${name} ${String(subject)}`, false)
    },
  })
  try {
    await scene.act(top)
  } finally {
    observeWith(null)
  }
  cut('the report', true)
  return cuts
}

/** Nothing is kept open for later. */
async function unmount(device: Device): Promise<void> {
  await passTime()
  await device.unmount()
}

async function tryScene(scene: Scene, type: Type): Promise<number> {
  device = new Device(type)
  const top = join(device.mountPoint, 'top')
  mkdirSync(top)
  await scene.before?.(top)
  device.sync()
  const cuts = await cutsDuring(scene, device, top)
  await unmount(device)
  for (const { image, after, reported } of cuts) {
    device.mount(image)
    try {
      await scene.look(top, reported)
    } catch (error) {
      throw new Error(`${scene.name} on ${type}, cut after ${after}: ${String(error)}`, { cause: error })
    } finally {
      await unmount(device)
      rmSync(image)
    }
  }
  device.remove()
  return cuts.length
}

test.skipIf(missing('root', 'mkfs.ext4, mkfs.xfs and mkfs.btrfs'))(
  'on ext4, xfs and btrfs, what was reported survives a power cut, and what is there is whole',
  async () => {
    const cases = TYPES.flatMap((type) => SCENES.map((scene) => ({ scene, type })))
    let cuts = 0
    for (const { scene, type } of timeBox(cases, { atLeast: TYPES.length }))
      cuts += await tryScene(scene, type)
    process.stderr.write(`${cuts} power cuts survived\n`)
    expect(cuts).toBeGreaterThan(0)
  },
)
