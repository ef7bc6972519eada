/** Hosts in which something is different from the real one. */
import type { Disk } from '../../src/host/disk.js'
import { type Host, realHost } from '../../src/host/host.js'

/** Time runs `times` faster for whoever uses this host. */
export function fastHost(times: number): Host {
  const host = realHost()
  const { clock } = host
  return {
    ...host,
    clock: {
      now: () => clock.now() * times,
      nowNs: () => clock.nowNs(),
      wallTime: () => clock.wallTime(),
      sleep: (ms, signal) => clock.sleep(ms / times, signal),
      later: (ms, tick) => clock.later(ms / times, tick),
    },
  }
}

/** Calls `before` with the name of every call before it is made, and `after` when it has ended well. */
export function watchedDisk(disk: Disk, before: (name: string) => void, after: (name: string) => void): Disk {
  const watched = <T extends object>(calls: T): T =>
    new Proxy(calls, {
      get(target, name: string) {
        const member = target[name as keyof T] as unknown
        if (typeof member === 'object' && member !== null) return watched(member)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          before(name)
          const result = (member as (...args: unknown[]) => unknown).apply(target, args)
          if (!(result instanceof Promise)) after(name)
          else void result.then(() => after(name)).catch(() => undefined)
          return result
        }
      },
    })
  return watched(disk)
}

/** Calls `step` whenever a locker is about to sleep, to take the kernel's lock, or to make a token. */
export function steppedHost(step: () => void): Host {
  const host = realHost()
  const { clock, native, processes } = host
  const then = <T>(work: () => T): T => {
    step()
    return work()
  }
  return {
    ...host,
    clock: { ...clock, sleep: (ms, signal) => then(() => clock.sleep(ms, signal)) },
    native: native && { ...native, flock: (fd, mode) => then(() => native.flock(fd, mode)) },
    processes: { ...processes, token: () => then(() => processes.token()) },
  }
}

/** Announces waiting, and looks after its leases, `times` sooner; what it measures is not changed. */
export function impatientHost(times: number): Host {
  const host = realHost()
  return { ...host, clock: { ...host.clock, later: (ms, tick) => host.clock.later(ms / times, tick) } }
}

/** Calls `before` and `after` every call to a disk and every taking of a kernel lock. */
export function watchedHost(host: Host, before: (name: string) => void, after: (name: string) => void): Host {
  const { native } = host
  const flock: NonNullable<Host['native']>['flock'] = (fd, mode) => {
    before('flock')
    const taken = native!.flock(fd, mode)
    after('flock')
    return taken
  }
  return {
    ...host,
    diskFor: (fileSystem) => watchedDisk(host.diskFor(fileSystem), before, after),
    native: native && { ...native, flock },
  }
}

/** All who sleep on such hosts wake at the same moments, also in different processes. */
export function inStepHost(tickMs: number): Host {
  const host = realHost()
  const untilTick = (ms: number): number => ms + tickMs - ((host.clock.wallTime() + ms) % tickMs)
  return {
    ...host,
    clock: { ...host.clock, sleep: (ms, signal) => host.clock.sleep(untilTick(ms), signal) },
  }
}
