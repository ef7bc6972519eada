/** The main thread's side of the heartbeat thread: one a host, started at the first network lock, or the first wait for one. */
import type { Host } from '../host/host.js'
import type { Thread } from '../host/thread.js'
import { Pulse } from './pulse.js'

export type HeartRequest =
  | { do: 'take'; path: string; token: string; staleMs: number; pulse: SharedArrayBuffer }
  | { do: 'release'; path: string; token: string }

export interface HeartNews {
  lost: string
  why: string
}

const heartbeats = new WeakMap<Host, Heartbeat>()

export function heartbeatOf(host: Host): Heartbeat {
  const known = heartbeats.get(host) ?? new Heartbeat(host)
  heartbeats.set(host, known)
  return known
}

export class Heartbeat {
  #thread: Thread<HeartRequest> | undefined
  readonly #losers = new Map<string, (reason: Error) => void>()

  constructor(private readonly host: Pick<Host, 'clock' | 'startThread'>) {}

  /** For whoever is about to wait: starting the thread takes some 50 ms, which a successor need not spend. */
  getReady(): void {
    this.#running()
  }

  /** Takes `<path>.held` under `token` and keeps its heart beating; `null` when somebody holds it. */
  async takeAndBeat(path: string, token: string, staleMs: number): Promise<Pulse | null> {
    const pulse = new Pulse(new SharedArrayBuffer(Pulse.BYTES), staleMs, () => this.host.clock.nowNs())
    const taken = await this.#running().ask({ do: 'take', path, token, staleMs, pulse: pulse.memory })
    return taken === true ? pulse : null
  }

  async releaseAndRest(path: string, token: string): Promise<void> {
    this.#losers.delete(token)
    await this.#running().ask({ do: 'release', path, token })
  }

  whenLost(token: string, lost: (reason: Error) => void): void {
    this.#losers.set(token, lost)
  }

  #running(): Thread<HeartRequest> {
    return (this.#thread ??= this.host.startThread<HeartRequest, HeartNews>(
      new URL('./heartbeat-thread.js', import.meta.url),
      ({ lost, why }) => this.#lose(lost, new Error(`The lock may have been lost: ${why}`)),
      (error) => {
        this.#thread = undefined
        for (const token of this.#losers.keys()) this.#lose(token, error)
      },
    ))
  }

  #lose(token: string, reason: Error): void {
    this.#losers.get(token)?.(reason)
    this.#losers.delete(token)
  }
}
