/**
 * Which locks the running piece of code holds already: `withLock(p, () => writeFile(p, …))` must not wait for itself.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Lease } from '../lock/locker.js'

interface Holding {
  path: string
  lease: Lease
  /** False once the lock was released: code that was started inside and lives on no longer holds it. */
  current: boolean
  outer: Holding | undefined
}

const holdings = new AsyncLocalStorage<Holding>()

export function heldHere(path: string): Lease | undefined {
  for (let holding = holdings.getStore(); holding; holding = holding.outer) {
    if (holding.path === path && holding.current) return holding.lease
  }
  return undefined
}

export async function whileHolding<T>(path: string, lease: Lease, work: () => T | Promise<T>): Promise<T> {
  const holding: Holding = { path, lease, current: true, outer: holdings.getStore() }
  try {
    return await holdings.run(holding, work)
  } finally {
    holding.current = false
  }
}
