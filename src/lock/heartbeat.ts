/** The main thread's side of the heartbeat thread: one a process, started at the first network lock, or the first wait for one. */
import { Thread } from '../host/thread.js'
import { Pulse } from './pulse.js'

export type HeartRequest =
  | { do: 'take'; path: string; token: string; staleMs: number; pulse: SharedArrayBuffer }
  | { do: 'release'; path: string; token: string }

export interface HeartNews {
  lost: string
  why: string
}

let thread: Thread<HeartRequest, HeartNews> | undefined
const losers = new Map<string, (reason: Error) => void>()

/** For whoever is about to wait: starting the thread takes some 50 ms, which a successor need not spend. */
export function getReady(): void {
  running()
}

/** Takes `<path>.held` under `token` and keeps its heart beating; `null` when somebody holds it. */
export async function takeAndBeat(path: string, token: string, staleMs: number): Promise<Pulse | null> {
  const pulse = new Pulse(new SharedArrayBuffer(Pulse.BYTES), staleMs)
  const taken = await running().ask({ do: 'take', path, token, staleMs, pulse: pulse.memory })
  return taken === true ? pulse : null
}

export async function releaseAndRest(path: string, token: string): Promise<void> {
  losers.delete(token)
  await running().ask({ do: 'release', path, token })
}

export function whenLost(token: string, lost: (reason: Error) => void): void {
  losers.set(token, lost)
}

function running(): Thread<HeartRequest, HeartNews> {
  return (thread ??= new Thread(
    new URL('./heartbeat-thread.js', import.meta.url),
    ({ lost, why }) => lose(lost, new Error(`The lock may have been lost: ${why}`)),
    (error) => {
      thread = undefined
      for (const token of losers.keys()) lose(token, error)
    },
  ))
}

function lose(token: string, reason: Error): void {
  losers.get(token)?.(reason)
  losers.delete(token)
}
