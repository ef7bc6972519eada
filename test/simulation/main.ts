/**
 * `npm run simulate`: worlds without end, until one is found in which a promise is broken.
 *
 *   --minutes 60     how long (1)
 *   --seed 4711      this one only, with all that happened in it
 *   --locker kernel  or lockfile: worlds with this lock only
 *   --from 1         the first seed (chosen at random)
 */
import { parseArgs } from 'node:util'
import { simulate } from './simulate.js'
import type { Swarm } from './swarm.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    from: { type: 'string' },
    locker: { type: 'string' },
    go: { type: 'boolean', default: false },
  },
})
const locker = values.locker as Swarm['locker'] | undefined

if (values.seed !== undefined) {
  const told = await simulate(Number(values.seed), locker)
  console.log(told.trace())
  console.log(`\nseed ${told.seed}: ${told.swarm}\n${told.steps} steps, hash ${told.hash}`)
  console.log(told.violation ?? 'Every promise was kept.')
  process.exitCode = told.violation === null ? 0 : 1
} else {
  const until = performance.now() + Number(values.minutes) * 60_000
  const first = Number(values.from ?? Math.floor(Math.random() * 2 ** 31))
  let worlds = 0
  let steps = 0
  let broken = 0
  for (let seed = first; performance.now() < until && (broken === 0 || values.go); seed++) {
    const told = await simulate(seed, locker)
    worlds++
    steps += told.steps
    if (told.violation === null) continue
    broken++
    console.log(`seed ${seed}: ${told.violation}\n  ${told.swarm}`)
  }
  console.log(`${worlds} worlds from seed ${first}, ${steps} steps: ${broken} in which a promise was broken.`)
  process.exitCode = broken === 0 ? 0 : 1
}
