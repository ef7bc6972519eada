/**
 * `npm run evidence`: tries every file system and every fault anew, and writes what came of it. Exits with 1 where
 * cachelatch has not kept a promise.
 */
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { describeMachine } from '../../bench/machine.js'
import { createMounts } from '../../test/support/mounting.js'
import { examine } from '../file-systems/examine.js'
import { GROUND_NAMES, type GroundName, RECIPES, unknownToKernel, whyNot } from '../file-systems/grounds.js'
import { mustHold, resultsOf } from '../file-systems/promises.js'
import { playAll } from '../table/play-all.js'
import { WAY_NAMES } from '../table/ways.js'
import { outcomeOf } from '../table/words.js'
import { summary } from './faults-page.js'
import { writePages } from './pages.js'
import { type Evidence, readEvidence, writeEvidence } from './results.js'

const USAGE = `Usage: npm run evidence -- [--part file-systems|faults|pages]… [--on FILE-SYSTEM]… [--all-ways]

  --part     only this part; pages: write them of what was measured before
  --on       only on this file system: ${GROUND_NAMES.join('; ')}
  --all-ways the ways made by hand on every file system, too, not only on one and on two hosts`

/** Where the ways made by hand are tried as well: on one host, and on two. */
const FOR_ALL_WAYS = new Set<GroundName>(['ext4', 'bindfs, two hosts'])

const { values } = parseArgs({
  options: {
    part: { type: 'string', multiple: true, default: ['file-systems', 'faults'] },
    on: { type: 'string', multiple: true, default: GROUND_NAMES },
    'all-ways': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false, short: 'h' },
  },
})

// Whatever ends it, what it has mounted is unmounted: on exit.
for (const [name, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
  process.once(name, () => process.exit(128 + number))

if (values.help) console.log(USAGE)
else await main()

async function main(): Promise<void> {
  const evidence = readEvidence()
  evidence.untried = untried()
  for (const name of GROUND_NAMES.filter((each) => values.on.includes(each) && whyNot(each) === null)) {
    if (values.part.includes('file-systems')) await tryPromises(evidence, name)
    if (values.part.includes('faults')) await tryFaults(evidence, name)
    // Who ends it half-way keeps what there is.
    writeEvidence(evidence)
  }
  await writePages(evidence)
  console.log(summary(evidence))
}

async function tryPromises(evidence: Evidence, name: GroundName): Promise<void> {
  const machine = describeMachine(tmpdir())
  const { locker, reason, tests } = await examine(name)
  const results = resultsOf(tests)
  evidence.fileSystems[name] = { machine, locker, reason, results }
  const passed = tests.filter(({ state }) => state === 'passed')
  console.error(`${name}: ${locker}; ${passed.length} tests passed`)
  for (const test of tests.filter(({ state }) => state === 'failed')) {
    const isBroken = mustHold(test, locker)
    console.error(`${isBroken ? 'BROKEN' : 'as expected, fails'}: ${test.titles.join(' > ')}: ${test.why}`)
    if (isBroken) process.exitCode = 1
  }
}

async function tryFaults(evidence: Evidence, name: GroundName): Promise<void> {
  const mounts = createMounts()
  try {
    const machine = describeMachine(tmpdir())
    const places = { ground: RECIPES[name].make(mounts, false), small: RECIPES[name].make(mounts, true) }
    const ways = values['all-ways'] || FOR_ALL_WAYS.has(name) ? WAY_NAMES : WAY_NAMES.slice(0, 1)
    const seen = await playAll(places, { ways })
    evidence.faults[name] = { machine, seen }
    console.error(`${name}: ${seen.length} scenes played`)
    for (const scene of seen.filter(({ way }) => way === 'cachelatch')) {
      if (!outcomeOf([scene]).isBad) continue
      console.error(`BROKEN: ${JSON.stringify(scene)}`)
      process.exitCode = 1
    }
  } finally {
    mounts.unmountAll()
  }
}

function untried(): Record<string, string> {
  const lacking = GROUND_NAMES.map((name) => [name, whyNot(name) ?? ''] as const).filter(
    ([, why]) => why !== '',
  )
  const unknown = unknownToKernel()
  return {
    ...Object.fromEntries(lacking),
    ...(unknown.length > 0 && { [unknown.join(', ')]: 'the kernel that this ran on has no client for them' }),
  }
}
