/** What a power cut must not bring back. */
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { inodeOf, recordedHost } from '../support/recorded-disk.js'
import { useScratch } from '../support/scratch.js'
import { prepareTestWorker, runTestWorker } from '../support/slot-workers.js'

const scratch = useScratch()

test('the mark of a slot is gone for good before its next worker starts', async () => {
  const cache = scratch()
  await runTestWorker(cache, (worker) => worker.write('groups/g/f', 'x'))
  const { host, steps } = recordedHost()
  const worker = await prepareTestWorker(cache, {}, host)
  const removed = steps.findIndex((step) => /^unlink .*\.ended-well\.json$/.test(step))
  expect(removed).toBeGreaterThan(-1)
  expect(steps.slice(removed)).toContain(`sync ${inodeOf(dirname(worker.path))}`)
  await worker.ended(1)
})
