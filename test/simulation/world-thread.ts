/**
 * A thread that runs worlds, one at a time. Also under vitest: that loads every module, each time it is asked for, by
 * asking another process, so what the library loads when it needs it would come at a moment that no seed decides (seed
 * 12 had one trace there and another in `npm run simulate`).
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Order, Told } from './simulate.js'

export class WorldThread {
  readonly #worker = new Worker(new URL('./world-thread-main.js', import.meta.url))

  async simulate(order: Order): Promise<Told> {
    this.#worker.postMessage(order)
    // Rejects where the thread dies.
    const [told] = (await once(this.#worker, 'message')) as [Told]
    return told
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}
