/** argv: name, directory, quick or full. Runs one group and sends the result to the parent. */
import type { Context } from './context.js'
import { coldGroup } from './groups/cold.js'
import { handoverGroup } from './groups/handover.js'
import { hitGroup } from './groups/hit.js'
import { lockGroup } from './groups/lock.js'
import { publishGroup } from './groups/publish.js'
import { startUpGroup } from './groups/start-up.js'
import { successionGroup } from './groups/succession.js'
import { workersGroup } from './groups/workers.js'
import type { Group } from './report.js'

const GROUPS: Record<string, (context: Context) => Promise<Group>> = {
  lock: lockGroup,
  hit: hitGroup,
  publish: publishGroup,
  handover: handoverGroup,
  succession: successionGroup,
  'start-up': startUpGroup,
  workers: workersGroup,
  cold: coldGroup,
}

// Stopped from outside: workers and temporary directories are removed by what listens to 'exit'.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const [name = '', dir = '', extent] = process.argv.slice(2)
const say = (line: string): void => void process.stderr.write(`${name}: ${line}\n`)
const group = await GROUPS[name]!({ dir, quick: extent === 'quick', say })
// JSON knows no NaN: what was not measured arrives as null.
process.send!(group, () => process.exit(0))
