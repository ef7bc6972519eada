/**
 * The thread in which hearts beat. Their code is the library's and proper-lockfile's own; what is simulated is that
 * messages take time.
 */
import type { StartThread } from '../../src/host/thread.js'
import type { HeartNews, HeartRequest } from '../../src/lock/heartbeat.js'
import { Hearts } from '../../src/lock/hearts.js'
import { clockOf } from './clock.js'
import { diskOf } from './disk.js'
import type { Process } from './process.js'
import { properLockfileOver } from './proper-lockfile.js'

export function heartThreadOf(process: Process): StartThread {
  const clock = clockOf(process, 'heart')
  const timers = {
    setTimeout: (tick: () => void, ms: number) => process.later('heart', ms, tick),
    clearTimeout: (cancel: () => void) => cancel(),
    now: () => clock.wallTime(),
  }
  const latency = (): number => process.world.chance.between(0.01, 0.2) * process.slowness
  return <Request, News>(_file: URL, onNews: (news: News) => void) => {
    const tell = (news: HeartNews): void =>
      void process.later('main', latency(), () => onNews(news as unknown as News))
    const body = { disk: diskOf(process, 'heart'), clock, lock: properLockfileOver(timers) }
    const hearts = new Hearts(body, tell)
    const ask = (request: Request): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const reply = (settle: () => void): void => void process.later('main', latency(), settle)
        process.later('heart', latency(), () => {
          hearts.answer(request as unknown as HeartRequest).then(
            (value) => reply(() => resolve(value)),
            (error: Error) => reply(() => reject(error)),
          )
        })
      })
    return { ask }
  }
}
