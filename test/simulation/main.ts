/**
 * `npm run simulate`: worlds without end, one on each core, until one is found in which a promise is broken.
 *
 *   --minutes 60     how long (1)
 *   --worlds 3000    how many, instead
 *   --seed 4711      this one only, with all that happened in it
 *   --locker kernel  or lockfile: worlds with this lock only
 *   --from 1         the first seed (chosen at random)
 *   --go             on, after one in which a promise was broken
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Swarm } from './swarm.js'
import { WorldThread } from './world-thread.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    worlds: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string' },
    locker: { type: 'string' },
    go: { type: 'boolean', default: false },
  },
})
const locker = values.locker as Swarm['locker'] | undefined

if (values.seed === undefined) await simulateMany()
else await simulateOne(Number(values.seed))

async function simulateOne(seed: number): Promise<void> {
  const thread = new WorldThread()
  const told = await thread.simulate({ seed, locker, traced: true })
  console.log(told.trace)
  console.log(`\nseed ${told.seed}: ${told.swarm}\n${told.steps} steps, hash ${told.hash}`)
  console.log(told.violation ?? 'Every promise was kept.')
  process.exitCode = told.violation === null ? 0 : 1
  await thread.end()
}

async function simulateMany(): Promise<void> {
  const count = Number(values.worlds ?? Infinity)
  const until = performance.now() + (values.worlds ? Infinity : Number(values.minutes) * 60_000)
  const first = Number(values.from ?? Math.floor(Math.random() * 2 ** 31))
  let next = first
  let worlds = 0
  let steps = 0
  let broken = 0
  const oneByOne = async (): Promise<void> => {
    const thread = new WorldThread()
    while (next < first + count && performance.now() < until && (broken === 0 || values.go)) {
      const told = await thread.simulate({ seed: next++, locker })
      worlds++
      steps += told.steps
      if (told.violation === null) continue
      broken++
      console.log(`seed ${told.seed}: ${told.violation}\n  ${told.swarm}`)
    }
    await thread.end()
  }
  await Promise.all(Array.from({ length: availableParallelism() }, oneByOne))
  console.log(`${worlds} worlds from seed ${first}, ${steps} steps: ${broken} in which a promise was broken.`)
  process.exitCode = broken === 0 ? 0 : 1
}
