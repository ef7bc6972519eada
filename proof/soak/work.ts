/** What all operations of a soak are made of. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cache } from '../../src/index.js'
import { described } from '../../test/support/self-describing.js'
import type { Line } from './testimony.js'
import type { World } from './worlds.js'

export interface Worker {
  world: World
  cache: Cache
  line: Line
  /** In [0, 1). */
  random: () => number
}

/** Long enough for everybody to be stopped meanwhile, and to go on. */
export const TIMEOUT_MS = 300_000
export const STALE_MS = 2_000
const MAX_FILE_BYTES = 200_000

export const openOptions = ({ locker }: World) => ({ locker, staleMs: STALE_MS })

/** Two files that belong together. */
export async function fill(dir: string, { random }: Worker, unit = 'entry'): Promise<void> {
  mkdirSync(dir, { recursive: true })
  const id = newId()
  for (const name of ['kernel.bin', 'weights.bin']) {
    await sleep(random() * 20)
    writeFileSync(join(dir, name), described({ unit, id }, body(random)))
  }
}

export const newId = (): string => randomBytes(8).toString('hex')
export const body = (random: () => number): Buffer => randomBytes(Math.ceil(random() ** 4 * MAX_FILE_BYTES))
