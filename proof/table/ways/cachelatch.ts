/** cachelatch, with its defaults but for the stale time. */
import { openCache } from '../../../src/index.js'
import { writeInPlace } from '../artefact.js'
import { STALE_MS, type Way } from './way.js'

export const way: Way = {
  async obtain(place, compile, tell) {
    const cache = await openCache(`${place}/cache`, { staleMs: STALE_MS })
    const entry = await cache.getOrCompile('model', ({ dir }) => writeInPlace(dir, compile), {
      onWait: () => tell('waiting'),
    })
    return entry.path
  },
}
