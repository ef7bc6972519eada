/** What goes wrong, when, and to whom. */
import type { Process } from './process.js'
import { errno } from './system-calls.js'
import type { World } from './world.js'

/** How often, after a call of somebody's, something happens to the world. */
const BLOW = 1 / 100
const MAX_BLOWS = 12
/** How often a call fails, while calls fail. */
const FAILURE = 1 / 60
const SLOW_CALL = 1 / 80

const NEEDS_SPACE = new Set(['create', 'write', 'mkdir', 'link', 'copy', 'symlink'])

/** An error of the world's making, as opposed to one that a call has earned. */
export function isInjected(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'injected' in error
}

function injected(code: string, name: string): Error {
  return Object.assign(errno(code, name, '(injected)'), { injected: true })
}

export class Faults {
  isFull = false
  /** At the end all is well, so that what is left can be looked at. */
  calm = false
  #blows = 0

  constructor(private readonly world: World) {}

  latencyOf(process: Process, name: string): number {
    const { chance, swarm } = this.world
    const [low, high] = swarm.network ? [0.1, 5] : [0.005, 0.5]
    const sync = name === 'fsync' ? 4 : 1
    if (!this.calm && swarm.slowCalls && chance.happens(SLOW_CALL)) return chance.magnitude(50, 40_000)
    return chance.magnitude(low, high) * sync * process.slowness
  }

  /** Makes the call, or has it fail: before its effect, or after it, when the answer was lost. */
  around<T>(process: Process, name: string, effect: () => T): T {
    const { chance, swarm } = this.world
    if (this.calm) return effect()
    if (this.isFull && NEEDS_SPACE.has(name)) throw injected('ENOSPC', name)
    if (!swarm.errors || !process.mayFail || !chance.happens(FAILURE) || name.endsWith('lock'))
      return effect()
    const code = chance.pick(['EIO', 'EACCES', 'ESTALE', 'EIO', 'EMFILE'])
    // close(2) frees the descriptor, whatever it reports.
    if (name === 'close' || chance.happens(0.4)) {
      const value = effect()
      // The file may be there, but a descriptor that was not given is none.
      if ((name === 'open' || name === 'create') && typeof value === 'number') process.calls.close(value)
    }
    throw injected(code, name)
  }

  /** After a call of `process`, and before the process hears of it. */
  strike(process: Process): void {
    const { chance } = this.world
    if (this.calm || this.#blows >= MAX_BLOWS || !chance.happens(BLOW)) return
    const blows = this.#blowsFor(process)
    if (blows.length === 0) return
    this.#blows++
    const [name, blow] = chance.pick(blows)
    this.world.scheduler.trace.add(process.name, `*** ${name}`)
    blow()
  }

  #blowsFor(process: Process): [name: string, blow: () => void][] {
    const { world } = this
    const { chance, swarm } = world
    const blows: [string, () => void][] = []
    const longMs = (): number => chance.magnitude(20, 8 * swarm.staleMs)
    if (swarm.kills) blows.push(['killed', () => process.kill()])
    if (swarm.stops) blows.push(['stopped', () => process.stop(['main', 'heart'], longMs())])
    if (swarm.stalls) blows.push(['event loop blocked', () => process.stop(['main'], longMs())])
    if (swarm.powerCuts) blows.push(['power cut', () => world.losePower()])
    if (swarm.machineCrashes) blows.push(['machine crashed', () => world.crash(process.machine)])
    if (swarm.clockJumps)
      blows.push(['clock set', () => process.machine.jumpClock(chance.between(-7_200_000, 7_200_000))])
    if (swarm.cleaners) blows.push(['cleaner', () => world.cleanUp(process.machine)])
    if (swarm.deletions) blows.push(['cache deleted', () => world.deleteCache()])
    if (swarm.fullDisk && !this.isFull) blows.push(['disk full', () => this.#fillFor(longMs())])
    return blows
  }

  #fillFor(ms: number): void {
    this.isFull = true
    this.world.scheduler.after(ms, () => (this.isFull = false))
  }
}
