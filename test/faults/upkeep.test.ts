/** Every call of those who look after a cache fails. */
import '../support/node-fs.js'
import { failEachCallOf } from './nth-fault.js'
import { UPKEEP } from './upkeep.js'

failEachCallOf(UPKEEP)
