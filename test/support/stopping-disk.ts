/** A host whose disk does something at the n-th call: the way to be everywhere once. */
import type { Disk } from '../../src/host/disk.js'
import { type Host, realHost } from '../../src/host/host.js'

export interface SteppedDisk {
  host: Host
  /** How many calls have been made. */
  readonly calls: number
  /** The name of the call at which it happened, once it has. */
  readonly reached: string | undefined
}

/** Calls `happen` just before the n-th call, counted from 1; what it throws is thrown by that call. */
export function atCall(n: number, happen: () => void | Promise<void>): SteppedDisk {
  const real = realHost()
  const state: SteppedDisk & { calls: number; reached: string | undefined } = {
    host: { ...real, diskFor: (fileSystem) => stepped(real.diskFor(fileSystem)) },
    calls: 0,
    reached: undefined,
  }
  const stepped = (disk: Disk): Disk =>
    new Proxy(disk, {
      get(target, name: keyof Disk) {
        // Without promises: every call would bypass the counting.
        if (name === 'inThread') return undefined
        const call = target[name] as (...args: unknown[]) => unknown
        return async (...args: unknown[]) => {
          if (++state.calls !== n) return call(...args)
          state.reached = name
          // close(2) frees the descriptor, whatever it reports.
          if (name === 'close') await call(...args)
          await happen()
          return name === 'close' ? undefined : call(...args)
        }
      },
    })
  return state
}
