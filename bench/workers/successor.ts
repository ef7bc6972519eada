/** argv: kind, path. Waits for the lock, says when it was inside, and holds it until it is killed. */
import { type Kind, taker } from './takers.js'

const [kind, path] = process.argv.slice(2) as [Kind, string]
const take = taker(kind)
process.send!('waiting')
// A thread that blocks in flock(2) sends nothing: the message must be out first.
await new Promise((resolve) => void setImmediate(resolve))
await take(path)
// CLOCK_MONOTONIC: the same in all processes.
process.send!({ insideAt: String(process.hrtime.bigint()) })
setInterval(() => undefined, 60_000)
