/** Replicas that are held back until the first has published: whoever goes without the cache lets the next one begin. */
import { expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { useScratch } from '../support/scratch.js'
import { prepareTestWorker } from '../support/slot-workers.js'
import { atCall } from '../support/stopping-disk.js'

const scratch = useScratch()

test('a disk that fails at any one call leaves no worker in a private directory with the turn of the first', async () => {
  let privately = 0
  for (let n = 1, reached = true; reached; n++) {
    const cache = scratch()
    const failing = atCall(n, () => {
      throw Object.assign(new Error('EIO: made by a test'), { code: 'EIO' })
    })
    const worker = await prepareTestWorker(cache, { once: true }, failing.host)
    reached = failing.reached !== undefined
    if (worker.slot === null) {
      privately++
      const { holders } = await (await openCache(cache)).status()
      expect(holders, `call ${n}, ${failing.reached}`).toEqual([])
    }
    await worker.ended(0)
  }
  expect(privately).toBeGreaterThan(10)
})
