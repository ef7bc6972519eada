/** A directory for locks, new for each test, with the host's gates in it as well. Call at the top of a file. */
import { afterEach, beforeEach } from 'vitest'
import { useScratch } from './scratch.js'

/** Returns where it is, once a test runs. */
export function useLockDirectory(): () => string {
  const scratch = useScratch()
  let directory = ''
  beforeEach(() => {
    directory = scratch('locks')
    process.env['CACHELATCH_GATE_DIR'] = directory
  })
  afterEach(() => {
    delete process.env['CACHELATCH_GATE_DIR']
  })
  return () => directory
}
