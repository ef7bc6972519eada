import { defineConfig } from 'vitest/config'

// Tests run as compiled by `npm run build:dev`: worker processes and threads load the very same files.
export default defineConfig({
  test: {
    include: ['.build/test/**/*.test.js'],
    exclude: [],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Many tests start dozens of processes: two files at a time are plenty for two cores.
    maxWorkers: 2,
  },
})
