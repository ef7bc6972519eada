/** A lock that excludes nobody: what holds with it holds without any lock. */
import type { Locker } from '../../src/lock/locker.js'

const nothing = (): Promise<void> => Promise.resolve()

export const nobodyWaits: Locker = {
  kind: 'nobody-waits',
  lockPath: (path) => path,
  acquire: async (path) => ({
    path,
    waited: false,
    signal: new AbortController().signal,
    handOn: () => null,
    release: nothing,
    [Symbol.asyncDispose]: nothing,
  }),
}
