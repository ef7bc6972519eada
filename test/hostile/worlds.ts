/** Worlds in memory, where there is some: thousands of them are made and thrown away. */
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LockerName, World } from './world.js'

const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export interface Worlds {
  /** Beside them. */
  base: string
  all: World[]
  remove(): void
}

export async function makeWorlds(locker: LockerName, count: number): Promise<Worlds> {
  const base = realpathSync(mkdtempSync(join(MEMORY, 'cachelatch-hostile-')))
  const remove = (): void => rmSync(base, { recursive: true, force: true })
  try {
    const all: World[] = []
    for (let n = 0; n < count; n++) all.push(await World.build(join(base, `${n}`), locker))
    return { base, all, remove }
  } catch (error) {
    remove()
    throw error
  }
}
