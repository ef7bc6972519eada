/** A directory for locks, new for each test, and on the local disk one for the host's gates. Call at the top of a file. */
import { tmpdir } from 'node:os'
import { afterEach, beforeEach } from 'vitest'
import { useScratch } from './scratch.js'

/** Returns where it is, once a test runs. */
export function useLockDirectory(): () => string {
  const [scratch, localScratch] = [useScratch(), useScratch(tmpdir())]
  let directory = ''
  beforeEach(() => {
    directory = scratch('locks')
    process.env['CACHELATCH_GATE_DIR'] = localScratch('gates')
  })
  afterEach(() => {
    delete process.env['CACHELATCH_GATE_DIR']
  })
  return () => directory
}
