/**
 * Which locks the running piece of code holds already: `withLock(p, () => writeFile(p, …))` must not wait for itself,
 * and a build that asks for its own key must be told so at once, not after an hour.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { keyLabel } from '../core/key.js'
import type { Lease } from '../lock/locker.js'

const holdings = new AsyncLocalStorage<Holding>()

export class Holding {
  readonly outer = holdings.getStore()
  /** False once the lock was released: code that was started inside and lives on no longer holds it. */
  current = true

  constructor(
    readonly path: string,
    /** `undefined`: a build holds it, which nobody inside may share. */
    readonly lease?: Lease,
    /** Others may hold it as well. */
    readonly shared = false,
  ) {}

  /** Runs `work` as code that holds the lock. */
  run<T>(work: () => T | Promise<T>): T | Promise<T> {
    return holdings.run(this, work)
  }
}

/** @throws TypeError for who shares the lock and wants it alone: it would wait for itself */
export function heldHere(path: string, shared: boolean): Lease | undefined {
  const holding = find(path)
  if (holding?.shared && !shared)
    throw new TypeError(`Who shares a lock cannot write under it, nor take it alone: ${path}`)
  return holding?.lease
}

/** @throws TypeError when the running code is, or was called by, the build that holds `path` */
export function refuseToWaitForItself(path: string, key: string): void {
  if (find(path) === undefined) return
  throw new TypeError(
    `The build of ${keyLabel(key)} asks for this very key: it would wait for itself forever.`,
  )
}

export async function whileBuilding<T>(path: string, build: () => T | Promise<T>): Promise<T> {
  const holding = new Holding(path)
  try {
    return await holding.run(build)
  } finally {
    holding.current = false
  }
}

function find(path: string): Holding | undefined {
  for (let holding = holdings.getStore(); holding; holding = holding.outer) {
    if (holding.path === path && holding.current) return holding
  }
  return undefined
}
