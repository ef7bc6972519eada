/** A process that uses the library: its host, its cache, its patience, and who hears how its calls have ended. */
import { type Cache, openCacheOn } from '../../src/latch/cache.js'
import type { Host } from '../../src/host/host.js'
import { hostOf } from './host.js'
import type { Process } from './process.js'
import { ABORTED, type Doing } from './witness.js'
import { CACHE, type World } from './world.js'

export const quiet = (): void => undefined

export class Actor {
  readonly host: Host
  readonly cache: Promise<Cache>
  readonly world: World

  constructor(readonly process: Process) {
    this.world = process.world
    this.host = hostOf(process)
    this.cache = openCacheOn(this.host, CACHE, this.options)
  }

  get options(): { locker: 'kernel' | 'lockfile'; staleMs: number } {
    const { locker, staleMs } = this.world.swarm
    return { locker, staleMs }
  }

  /** How long it is ready to wait. */
  patience(): { timeoutMs: number; signal?: AbortSignal; onWait: () => void } {
    const { chance, swarm } = this.world
    const timeoutMs = swarm.impatience ? chance.magnitude(1, 20_000) : 60 * 60 * 1000
    if (!swarm.aborts || chance.happens(0.5)) return { timeoutMs, onWait: quiet }
    const controller = new AbortController()
    const { clock } = this.host
    clock.later(chance.magnitude(1, 20_000), () => controller.abort(new Error(ABORTED)))
    return { timeoutMs, signal: controller.signal, onWait: quiet }
  }

  /** @returns whether it ended well */
  async trying(doing: Doing, work: () => Promise<void>): Promise<boolean> {
    try {
      this.world.scheduler.trace.add(this.process.name, `> ${doing}`)
      await work()
      this.world.scheduler.trace.add(this.process.name, `< ${doing}`)
      return true
    } catch (error) {
      this.world.scheduler.trace.add(this.process.name, `< ${doing}: ${String(error)}`)
      this.world.witness.failed(this.process, doing, error)
      return false
    }
  }
}
