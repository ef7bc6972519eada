/** A share of `npm run soak`: fewer processes, for a while. CACHELATCH_PROOF_SEED: what a failed run has printed. */
import { expect, test } from 'vitest'
import { soak } from '../../proof/soak/soak.js'
import { missing } from '../support/needs.js'
import { seededRandom } from '../support/random.js'
import { BUDGET_MS, TRIES_ALL } from '../support/time-box.js'

const PROCESSES = 12
/** Of a run that may take as long as it needs; the whole of it is `npm run soak`. */
const LONG_SECONDS = 120

test.skipIf(missing('linux', 'root', 'mount tmpfs', 'mkfs.ext4, mkfs.xfs and mkfs.btrfs'))(
  'processes at random work, killed, stopped and out of room: nothing torn, nobody inside with another, nothing left',
  async () => {
    const { seed } = seededRandom('CACHELATCH_PROOF_SEED')
    const seconds = TRIES_ALL ? LONG_SECONDS : BUDGET_MS / 1000
    const report = await soak({ seconds, processes: PROCESSES, seed, ownDisks: true })
    expect(report.violations).toEqual([])
    expect(report.kills.workers).toBeGreaterThan(0)
    expect(report.stays).toBeGreaterThan(0)
    expect(report.looks).toBeGreaterThan(0)
  },
)
