/** No lock, written in place. */
import { mkdirSync } from 'node:fs'
import { isThere, writeInPlace } from '../artefact.js'
import type { Way } from './way.js'

export const way: Way = {
  async obtain(place, compile) {
    const directory = `${place}/model`
    if (isThere(directory)) return directory
    mkdirSync(directory, { recursive: true })
    await writeInPlace(directory, compile)
    return directory
  },
}
