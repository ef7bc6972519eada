/** Nobody is let in by mistake when a dead holder is succeeded, by whoever asks at the same moment. */
import { expect, test } from 'vitest'
import { useScratch } from '../support/scratch.js'
import { countDoubleHolders } from '../support/stale-takeover.js'
import { TRIES_ALL } from '../support/time-box.js'
import { useWorkers } from '../support/use-workers.js'

/** Bare proper-lockfile fails in 42 to 149 of 200 (bench/stale-takeover.ts). */
const TRIALS = TRIES_ALL ? 200 : 60

const scratch = useScratch()
const start = useWorkers()

test(`of 16 contenders on 16 hosts for the lock of a dead holder, no two are ever inside, ${TRIALS} times`, async () => {
  const directory = scratch('locks')
  expect(
    await countDoubleHolders({ kind: 'cachelatch', contenders: 16, trials: TRIALS, directory, start }),
  ).toBe(0)
})
