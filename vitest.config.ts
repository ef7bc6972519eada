import { defineConfig } from 'vitest/config'

// Tests run as compiled by `npm run build:dev`: worker processes and threads load the very same files.
export default defineConfig({
  test: {
    include: ['.build/test/**/*.test.js'],
    exclude: [],
    // Only ends what has failed already: on a busy machine, the largest races take minutes, and all cases of the proof hours.
    testTimeout: process.env['CACHELATCH_PROOF_SECONDS'] === 'all' ? 4 * 60 * 60_000 : 600_000,
    hookTimeout: 120_000,
    // Many tests start dozens of processes, and many wait for a stale time: three files at a time keep two cores busy.
    maxWorkers: 3,
  },
})
