/** Every call of a latch fails: locking, writing to any path, compiling, reading. */
import '../support/node-fs.js'
import { COMPILES } from './compiles.js'
import { LOCKS } from './locks.js'
import { failEachCallOf } from './nth-fault.js'
import { WRITES } from './writes.js'

failEachCallOf([...LOCKS, ...WRITES, ...COMPILES])
