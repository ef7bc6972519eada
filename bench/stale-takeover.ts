/**
 * Takeover of a lock whose holder is dead, by 16 processes at once, as it is in proper-lockfile and here: in how many
 * of 200 trials did a witness see two inside? `node .build/bench/stale-takeover.js [contenders] [trials]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countDoubleHolders } from '../test/support/stale-takeover.js'

const [contenders = 16, trials = 200] = process.argv.slice(2).map(Number)

console.log(`Trials with two or more inside at once, of ${trials} with ${contenders} contenders each:`)
for (const kind of ['proper-lockfile', 'cachelatch'] as const) {
  const directory = mkdtempSync(join(tmpdir(), 'cachelatch-bench-'))
  try {
    const count = await countDoubleHolders({ kind, contenders, trials, directory })
    console.log(`  ${kind.padEnd(16)} ${String(count).padStart(4)}`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
