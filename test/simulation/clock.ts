/** The clock of a simulated process: its machine's. */
import type { Clock } from '../../src/host/clock.js'
import type { Process, ThreadName } from './process.js'

export function clockOf(process: Process, thread: ThreadName): Clock {
  const { machine } = process
  return {
    now: () => machine.now(),
    nowNs: () => BigInt(Math.round(machine.now() * 1e6)),
    wallTime: () => Math.floor(machine.wallTime()),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error)
        const abort = (): void => {
          cancel()
          reject(signal!.reason as Error)
        }
        const cancel = process.later(thread, ms, () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        })
        signal?.addEventListener('abort', abort, { once: true })
      }),
    later: (ms, tick) => process.later(thread, ms, tick),
  }
}
