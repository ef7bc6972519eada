/** proper-lockfile as its README has it, but for the retries, which can be seen here; written in place. */
import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import lockfile from 'proper-lockfile'
import { isThere, writeInPlace } from '../artefact.js'
import { POLL_MS, STALE_MS, type Way } from './way.js'

export const way: Way = {
  async obtain(place, compile, tell) {
    const directory = `${place}/model`
    if (isThere(directory)) return directory
    const release = await lock(directory, tell)
    try {
      if (isThere(directory)) return directory
      mkdirSync(directory, { recursive: true })
      await writeInPlace(directory, compile)
      return directory
    } finally {
      await release()
    }
  },
}

async function lock(path: string, tell: (what: 'waiting') => void): Promise<() => Promise<void>> {
  for (;;) {
    try {
      return await lockfile.lock(path, { realpath: false, stale: STALE_MS, update: STALE_MS / 3 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error
    }
    tell('waiting')
    await sleep(POLL_MS)
  }
}
