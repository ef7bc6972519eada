/** `npm run soak -- --minutes 30 [--processes 64] [--seed N]`: exits with 1 on any violation. */
import { parseArgs } from 'node:util'
import { soak, sumOf } from './soak.js'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    processes: { type: 'string', default: '64' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
})
const [minutes, processes, seed] = [values.minutes, values.processes, values.seed].map(Number)
const ownDisks = process.getuid?.() === 0 && process.platform === 'linux'
const say = (text: string): void => void process.stdout.write(`${text}\n`)

say(`soak: ${minutes} min, ${processes} processes, --seed ${seed}`)
if (!ownDisks) say('not root: no disk is filled')
const report = await soak({
  seconds: minutes! * 60,
  processes: processes!,
  seed: seed!,
  ownDisks,
  onProgress: say,
})
const { operations, kills, fills, stays, looks, violations } = report
for (const [name, count] of Object.entries(operations).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  say(`${String(count).padStart(9)}  ${name}`)
say(`${sumOf(operations)} operations; ${stays} stays in locks and slots, ${looks} looks at what is published`)
say(
  `survived: ${kills.workers} kills, ${kills.stops} stops, ${kills.helpers} killed helpers, ${fills} full disks`,
)
for (const violation of violations) say(`VIOLATION ${violation}`)
say(`${violations.length} violations`)
process.exitCode = violations.length > 0 ? 1 : 0
