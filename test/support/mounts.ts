/** File systems of a test, unmounted after it, also when it failed. */
import { afterEach } from 'vitest'
import { type Mounts, createMounts } from './mounting.js'

export function useMounts(): Mounts {
  const mounts = createMounts()
  afterEach(() => mounts.unmountAll())
  return mounts
}
