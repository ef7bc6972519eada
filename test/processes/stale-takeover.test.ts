import { expect, test } from 'vitest'
import { useScratch } from '../support/scratch.js'
import { countDoubleHolders } from '../support/stale-takeover.js'
import { useWorkers } from '../support/use-workers.js'

const scratch = useScratch()
const start = useWorkers()

test('of 16 contenders on 16 hosts for the lock of a dead holder, no two are ever inside, 200 times', async () => {
  const directory = scratch('locks')
  expect(
    await countDoubleHolders({ kind: 'cachelatch', contenders: 16, trials: 200, directory, start }),
  ).toBe(0)
})
