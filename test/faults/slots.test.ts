/** Every call of a worker in a slot, and of what goes on around it, fails. */
import '../support/node-fs.js'
import { failEachCallOf } from './nth-fault.js'
import { SLOTS } from './slots.js'

failEachCallOf(SLOTS)
