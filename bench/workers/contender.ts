/** argv: kind, path, takes, held ms, deadline ms. Takes the lock in a loop once it is told to, and says how it went. */
import { once } from 'node:events'
import { cpuSeconds } from '../raw.js'
import { type Kind, taker } from './takers.js'

export interface Result {
  takes: number
  /** Milliseconds, of the takes of this process. */
  heldMs: number
  waitedMs: number
  longestMs: number
  cpuSeconds: number
}

const [kind, path, takes, holdMs, deadlineMs] = process.argv.slice(2) as [
  Kind,
  string,
  string,
  string,
  string,
]
const take = taker(kind)
const nap = new Int32Array(new SharedArrayBuffer(4))

process.send!('ready')
await once(process, 'message')
const cpuBefore = cpuSeconds()
const begun = performance.now()
const result: Result = { takes: 0, heldMs: 0, waitedMs: 0, longestMs: 0, cpuSeconds: 0 }
while (result.takes < Number(takes) && performance.now() - begun < Number(deadlineMs)) {
  const asked = performance.now()
  let release: () => unknown
  try {
    release = await take(path)
  } catch {
    break // proper-lockfile gives up after its tries.
  }
  const inside = performance.now()
  Atomics.wait(nap, 0, 0, Number(holdMs))
  result.heldMs += performance.now() - inside
  await release()
  result.takes += 1
  result.waitedMs += inside - asked
  result.longestMs = Math.max(result.longestMs, inside - asked)
}
result.cpuSeconds = cpuSeconds() - cpuBefore
process.send!(result, () => process.disconnect())
