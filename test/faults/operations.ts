/** All that is done while a disk fails. */
import { COMPILES } from './compiles.js'
import { LOCKS } from './locks.js'
import type { Operation } from './operation.js'
import { SLOTS } from './slots.js'
import { UPKEEP } from './upkeep.js'
import { WRITES } from './writes.js'

export const OPERATIONS: readonly Operation[] = [...LOCKS, ...WRITES, ...COMPILES, ...UPKEEP, ...SLOTS]
