/**
 * A simulated process: what it waits for, and what becomes of that when it is stopped or killed.
 *
 * A call has its effect at a moment of its own, and its answer reaches the process at that moment too, unless the
 * process is stopped: then the answer waits for it, as everything else does. A call that a kill finds on its way has
 * its effect, or has not. Two threads: `main`, and that in which hearts beat; `stalled` stops the first only, as code
 * that blocks the event loop does.
 */
import type { Machine } from './machine.js'
import { SystemCalls } from './system-calls.js'
import type { World } from './world.js'

export type ThreadName = 'main' | 'heart'

interface Pending {
  effect: () => void
}

export class Process {
  alive = true
  /** How it has ended: its exit code, or 137. */
  exitCode: number | undefined
  /** Whether errors of the disk reach it. */
  mayFail = true
  /** How often it was said that something may not survive a power cut. */
  warned = 0
  readonly calls: SystemCalls
  /** What is done when it exits by itself. */
  readonly lastWords = new Set<() => void>()
  /** Resolves when it has ended, one way or the other. */
  readonly gone: Promise<void>
  #goneNow = (): void => undefined
  readonly #pending = new Set<Pending>()
  readonly #waiting = { main: [] as (() => void)[], heart: [] as (() => void)[] }
  readonly #stopped = { main: false, heart: false }

  constructor(
    readonly world: World,
    readonly machine: Machine,
    readonly name: string,
    readonly pid: number,
    /** How much longer than others it takes for everything. */
    readonly slowness: number,
    /** What it was started with. */
    readonly environment: Readonly<Record<string, string>> = {},
  ) {
    this.gone = new Promise((resolve) => (this.#goneNow = resolve))
    this.calls = new SystemCalls(
      (path) => machine.volumeOf(path),
      machine.flocks,
      (path) => machine.clientOf(path),
    )
  }

  /** A call to a disk: happens some time later, and may fail as the world has decided. */
  call<T>(thread: ThreadName, name: string, paths: readonly unknown[], effect: () => T): Promise<T> {
    const { world } = this
    if (!this.alive) return new Promise<T>(() => undefined)
    return new Promise<T>((resolve, reject) => {
      let answer = (): void => undefined
      const pending: Pending = {
        effect: () => {
          try {
            const value = world.faults.around(this, name, effect)
            world.trace(this, name, paths, value)
            answer = () => resolve(value)
          } catch (error) {
            world.trace(this, name, paths, error)
            answer = () => reject(error)
          }
        },
      }
      this.#pending.add(pending)
      world.scheduler.after(world.faults.latencyOf(this, name), () => {
        if (!this.#pending.delete(pending)) return
        pending.effect()
        world.happened(this)
        this.whenRunning(thread, answer)
      })
    })
  }

  /** A call that the process makes in one go with what it does next. */
  callNow<T>(name: string, paths: readonly unknown[], effect: () => T): T {
    try {
      const value = this.world.faults.around(this, name, effect)
      this.world.trace(this, name, paths, value)
      return value
    } catch (error) {
      this.world.trace(this, name, paths, error)
      throw error
    }
  }

  /** Calls `tick` after `ms` of the machine's time. Returns the way to cancel. */
  later(thread: ThreadName, ms: number, tick: () => void): () => void {
    let cancelled = false
    const event = this.world.scheduler.after(ms / this.machine.rate, () =>
      this.whenRunning(thread, () => {
        if (!cancelled) tick()
      }),
    )
    return () => {
      cancelled = true
      event.cancelled = true
    }
  }

  whenRunning(thread: ThreadName, work: () => void): void {
    if (!this.alive) return
    if (this.#stopped[thread]) return void this.#waiting[thread].push(work)
    this.world.running = this
    work()
  }

  /** @param threads all: SIGSTOP; `main`: its event loop is blocked */
  stop(threads: readonly ThreadName[], ms: number): void {
    const stopping = threads.filter((thread) => !this.#stopped[thread])
    for (const thread of stopping) this.#stopped[thread] = true
    this.world.scheduler.after(ms, () => {
      for (const thread of stopping) this.#goOn(thread)
    })
  }

  #goOn(thread: ThreadName): void {
    this.#stopped[thread] = false
    const waiting = this.#waiting[thread].splice(0)
    // What has come meanwhile is handled one by one, as an event loop does.
    for (const [index, work] of waiting.entries())
      this.world.scheduler.after(index * 1e-6, () => this.whenRunning(thread, work))
  }

  exit(code = 0): void {
    if (!this.alive) return
    for (const work of this.lastWords) work()
    this.exitCode = code
    this.#end()
  }

  kill(): void {
    if (!this.alive) return
    for (const pending of this.#pending) if (this.world.chance.happens(0.5)) pending.effect()
    this.exitCode = 137
    this.#end()
  }

  #end(): void {
    this.alive = false
    this.#pending.clear()
    this.calls.closeAll()
    this.world.ended(this)
    this.#goneNow()
  }
}
