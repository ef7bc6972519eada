/** As it is written by hand: mkdir is the lock, an old one is a dead one's, and the result is renamed into place. */
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isThere, writeInPlace } from '../artefact.js'
import { POLL_MS, STALE_MS, type Way } from './way.js'

export const way: Way = {
  async obtain(place, compile, tell) {
    const directory = `${place}/model`
    if (isThere(directory)) return directory
    const lock = `${place}/model.lock`
    while (!tryLock(lock)) {
      tell('waiting')
      await sleep(POLL_MS)
    }
    try {
      if (isThere(directory)) return directory
      const temporary = `${directory}.tmp.${process.pid}`
      rmSync(temporary, { recursive: true, force: true })
      mkdirSync(temporary)
      await writeInPlace(temporary, compile)
      renameSync(temporary, directory)
      return directory
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  },
}

function tryLock(lock: string): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const stats = statSync(lock, { throwIfNoEntry: false })
  if (!stats || Date.now() - stats.mtimeMs < STALE_MS) return false
  rmSync(lock, { recursive: true, force: true })
  return tryLock(lock)
}
