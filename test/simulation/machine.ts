/** A simulated host: clocks, a disk of its own for temporary files, a kernel that knows its own locks only. */
import { Client } from './client.js'
import { Flocks } from './flocks.js'
import { Volume } from './volume.js'
import type { World } from './world.js'

/** Milliseconds since 1970 when a world begins. */
export const EPOCH_MS = Date.UTC(2026, 0, 1)

export class Machine {
  bootId: string
  /** How fast its clocks run. */
  readonly rate: number
  readonly temporary: Volume
  readonly flocks = new Flocks()
  /** `null`: it has the disk itself, or asks for everything. */
  readonly #client: Client | null
  #wallOffsetMs: number
  readonly #upSinceMs: number

  constructor(
    readonly world: World,
    readonly name: string,
    dev: number,
  ) {
    const { chance, swarm } = world
    this.bootId = chance.hex(16)
    this.rate = swarm.slowClocks ? chance.between(0.85, 1.15) : 1
    this.#wallOffsetMs = swarm.clockJumps ? chance.between(-60_000, 60_000) : 0
    this.#upSinceMs = chance.between(0, 1e9)
    const now = (): number => world.scheduler.now
    this.#client = swarm.remembers ? new Client(chance, now, swarm.memoryMs) : null
    this.temporary = new Volume(dev, true, chance, () => this.wallTime())
  }

  volumeOf(path: string): Volume {
    return path === '/tmp' || path.startsWith('/tmp/') ? this.temporary : this.world.shared
  }

  clientOf(path: string): Client | null {
    return this.volumeOf(path) === this.temporary ? null : this.#client
  }

  /** Milliseconds, monotonic. */
  now(): number {
    return this.#upSinceMs + this.world.scheduler.now * this.rate
  }

  wallTime(): number {
    return EPOCH_MS + this.#wallOffsetMs + this.world.scheduler.now * this.rate
  }

  jumpClock(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  setClockRight(): void {
    this.#wallOffsetMs = this.world.scheduler.now * (1 - this.rate)
  }

  reboot(): void {
    this.bootId = this.world.chance.hex(16)
    this.temporary.losePower()
    this.#client?.forgetAll()
  }
}
