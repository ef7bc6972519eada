/** flock(1) has a process of its own, so it takes time to start, and is not stopped with the one that waits. */
import type { Host } from '../../src/host/host.js'
import type { Process } from './process.js'

export function flockCommandOf(process: Process): Host['flockCommand'] {
  const { calls, world } = process
  const startMs = (): number => world.chance.between(1, 5)
  return {
    isThere: () => Promise.resolve(world.swarm.flockCommand),
    once: (fd, mode) =>
      new Promise((resolve) => {
        process.later('main', startMs(), () => resolve(calls.flock(fd, mode) ? 'locked' : 'busy'))
      }),
    waiting: (fd, mode, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error)
        let giveUp = (): void => undefined
        let ended = false
        const end = (how: () => void): void => {
          if (ended) return
          ended = true
          signal.removeEventListener('abort', abort)
          // The news that it has ended takes its time as well; somebody may have aborted by then.
          process.later('main', world.chance.between(0.1, 3), () =>
            signal.aborted ? reject(signal.reason as Error) : how(),
          )
        }
        const abort = (): void => {
          giveUp()
          end(() => reject(signal.reason as Error))
        }
        signal.addEventListener('abort', abort, { once: true })
        world.scheduler.after(startMs(), () => {
          if (!process.alive || ended) return
          giveUp = calls.flockWaiting(fd, mode, () => end(() => resolve('locked')))
        })
      }),
  }
}
