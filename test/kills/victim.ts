/** Does one operation when told to; all that Node loads late, and every thread that it starts late, is there before. */
import { setTimeout as sleep } from 'node:timers/promises'
import { obey } from '../processes/workers/obey.js'
import { type LockerName, type Place, open } from './operation.js'
import { OPERATIONS } from './operations.js'

/** A released lock file is closed a second later: not among the calls that are counted. */
const KEPT_MS = 1_100

obey({
  async warmUp(locker: LockerName, name: string, place: Place) {
    const { prepare, act } = OPERATIONS[locker][name]!
    await prepare?.(place)
    await act(place)
    await sleep(KEPT_MS)
  },
  async act(locker: LockerName, name: string, place: Place) {
    await OPERATIONS[locker][name]!.act(place)
  },

  /** Leaves a lock that is held. */
  async dieBuilding(root: string) {
    const cache = await open(root, 'lockfile')
    await cache.getOrCompile('model', () => void process.kill(process.pid, 'SIGKILL'))
  },
})
