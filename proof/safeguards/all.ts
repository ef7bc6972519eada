/** All safeguards, in the order of the layers that they are in. */
import { LATCH } from './list/latch.js'
import { LAUNCH } from './list/launch.js'
import { LOCK } from './list/lock.js'
import { STORE } from './list/store.js'
import type { Safeguard } from './safeguard.js'

export const PARTS = [
  { title: 'Who works', safeguards: LOCK },
  { title: 'What is seen', safeguards: STORE },
  { title: 'The two together', safeguards: LATCH },
  { title: 'Unmodified workers', safeguards: LAUNCH },
]

export const SAFEGUARDS: Safeguard[] = PARTS.flatMap(({ safeguards }) => safeguards)
