/**
 * A share of the fault table's scenes, others each time: with cachelatch nobody gets a torn result, an error, or nothing
 * at all. And the harness has eyes: what is known to go wrong with ways made by hand, it sees.
 */
import { afterEach, describe, expect, test } from 'vitest'
import {
  GROUND_NAMES,
  type Ground,
  type GroundName,
  RECIPES,
  whyNot,
} from '../../proof/file-systems/grounds.js'
import { FAULT_NAMES, type FaultName } from '../../proof/table/faults.js'
import { scenesOf } from '../../proof/table/play-all.js'
import { type Scene, play } from '../../proof/table/scene.js'
import { outcomeOf } from '../../proof/table/words.js'
import { createMounts } from '../support/mounting.js'
import { missing } from '../support/needs.js'
import { timeBox } from '../support/time-box.js'

const LOCAL = new Set<GroundName>(['tmpfs', 'ext4', 'xfs', 'btrfs', 'overlayfs'])
const ONE_COMPILES = new Set<FaultName>(['together', 'killed', 'stopped', 'ahead', 'containers'])

const mounts = createMounts()
afterEach(() => mounts.unmountAll())

describe.skipIf(missing('root', 'bindfs', 'sshfs and sshd', 'mkfs.ext4, mkfs.xfs and mkfs.btrfs'))(
  'scenes',
  () => {
    const made = new Map<string, Ground>()
    const groundFor = (name: GroundName, { fault }: Scene): Ground => {
      const isSmall = fault === 'full'
      const key = `${name} ${isSmall}`
      if (!made.has(key)) made.set(key, RECIPES[name].make(mounts, isSmall))
      return made.get(key)!
    }

    test('with cachelatch, all who ask are served a whole result, whatever goes wrong', async () => {
      const scenes = FAULT_NAMES.flatMap((fault) => scenesOf('cachelatch', fault))
      const possible = GROUND_NAMES.filter((name) => whyNot(name) === null)
      const cases = possible.flatMap((name) => scenes.map((scene) => ({ name, scene })))
      for (const { name, scene } of timeBox(cases, { atLeast: 2 })) {
        const seen = await play(scene, groundFor(name, scene))
        expect(outcomeOf([seen]), `${name}: ${JSON.stringify(seen)}`).toMatchObject({ isBad: false })
        // A network lock of a holder that the machine starves is lost: that costs a compile.
        if (LOCAL.has(name) && ONE_COMPILES.has(scene.fault)) expect(seen.compiles).toBe(1)
      }
      made.clear()
    })

    test.each<[string, Scene, RegExp]>([
      ['half a file', { way: 'bare', fault: 'killed', step: 'one and a half' }, /torn/],
      [
        'a file that write-file-atomic cut short',
        { way: 'write-file-atomic', fault: 'full', step: 'half a file' },
        /torn/,
      ],
      ['two compiles', { way: 'bare', fault: 'together', step: 'half a file' }, /2 times/],
      ['an error', { way: 'mkdir-lock', fault: 'ahead', step: 'one file' }, /ENOTEMPTY/],
    ])('the harness sees %s', async (_what, scene, words) => {
      const ground = RECIPES.tmpfs.make(mounts, scene.fault === 'full')
      expect(outcomeOf([await play(scene, ground)]).words).toMatch(words)
    })
  },
)
