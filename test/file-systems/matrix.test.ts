/**
 * A share of the file systems, others each time, with the tests that several processes take part in. All of them, and
 * all suites: `npm run evidence`.
 */
import { expect, test } from 'vitest'
import { examine } from '../../proof/file-systems/examine.js'
import { GROUND_NAMES, type GroundName, whyNot } from '../../proof/file-systems/grounds.js'
import { mustHold } from '../../proof/file-systems/promises.js'
import { missing } from '../support/needs.js'
import { TRIES_ALL, timeBox } from '../support/time-box.js'

const SHARE = ['contract/across-processes', 'file-systems/promises']

const EVERYTHING = ['root', 'bindfs', 'sshfs and sshd', 'mkfs.ext4, mkfs.xfs and mkfs.btrfs'] as const

test.skipIf(missing(...EVERYTHING))(
  'the locker that is chosen for a file system keeps the contract on it, and the promises hold',
  async () => {
    const possible = GROUND_NAMES.filter((name) => whyNot(name) === null)
    for (const name of timeBox<GroundName>(possible)) {
      const { locker, reason, tests } = await examine(
        name,
        TRIES_ALL ? {} : { suites: SHARE, only: theChosen },
      )
      const due = tests.filter((each) => mustHold(each, locker))
      expect(due.filter(({ state }) => state === 'passed').length, `${name}: ${reason}`).toBeGreaterThan(10)
      expect(
        due.filter(({ state }) => state === 'failed'),
        name,
      ).toEqual([])
    }
  },
)

/** Titles: those of the locker, by whichever way, and all that are not about one. */
function theChosen(locker: string): string {
  return locker === 'kernel' ? '^(?!.*lockfile)' : '^(?!.*kernel)'
}
