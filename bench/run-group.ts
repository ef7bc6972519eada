/** argv: name, directory, and of `quick`, `large` what was asked for. Runs one group; sends the result to the parent. */
import { GROUPS } from './groups.js'

// Stopped from outside: workers and temporary directories are removed by what listens to 'exit'.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const [name = '', dir = '', ...extents] = process.argv.slice(2)
const say = (line: string): void => void process.stderr.write(`${name}: ${line}\n`)
const runGroup = await GROUPS[name]!()
const group = await runGroup({ dir, quick: extents.includes('quick'), large: extents.includes('large'), say })
// JSON knows no NaN: what was not measured arrives as null.
process.send!(group, () => process.exit(0))
